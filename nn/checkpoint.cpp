#include "nn/checkpoint.hpp"

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"
#include "datasets/npy.hpp"
#include "datasets/npy_stream.hpp"
#include "datasets/output_file.hpp"
#include "datasets/quoted.hpp"
#include "datasets/unpublished.hpp"

namespace xgrad::nn {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(std::string_view op, const fs::path& folder, int error = errno) {
  raise<FileError>(op, phrase("{}: {}; check the folder, its permissions and the free space", folder.string(),
                              datasets::system_message(error)));
}

// What is replaced is deleted: it must not be somebody's home.
void require_state_or_nothing(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (!fs::exists(status)) {
    return;
  }
  bool is_state = fs::is_directory(status);
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    is_state = is_state && entry->path().extension() == ".npy";
  }
  if (!is_state) {
    raise<FileError>("write_state", phrase("{}: this is no folder of NPY files alone, and it would be replaced; "
                                           "choose another name",
                                           folder.string()));
  }
}

// Exchanges both, which the system does at once; where it cannot, there is a moment with neither under its name.
bool put_in_place(const datasets::Unpublished& fresh, const fs::path& folder, bool replaces) {
  if (!replaces) {
    return ::rename(fresh.path().c_str(), folder.c_str()) == 0;
  }
  if (::renameat2(AT_FDCWD, fresh.path().c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0) {
    return true;
  }
  const fs::path old = fresh.aside();
  if (::rename(folder.c_str(), old.c_str()) != 0) {
    return false;
  }
  const bool done = ::rename(fresh.path().c_str(), folder.c_str()) == 0;
  const int error = errno;
  std::error_code ignored;
  fs::rename(old, done ? fresh.path() : folder, ignored);  // to be removed, or back
  errno = error;
  return done;
}

// Takes over the rights of what it replaces.
bool publish(const datasets::Unpublished& fresh, const fs::path& folder) {
  struct stat there = {};
  const bool replaces = ::stat(folder.c_str(), &there) == 0;
  return (!replaces || ::fchmod(fresh.descriptor(), there.st_mode & 07777U) == 0) && fresh.sync() &&
         put_in_place(fresh, folder, replaces) && fresh.sync_around();
}

// Without the slash at the end that names what is inside.
fs::path without_slash(const fs::path& folder) { return folder.has_filename() ? folder : folder.parent_path(); }

}  // namespace

void write_state(const std::filesystem::path& folder, const State& state, std::source_location where) {
  located(where, [&] {
    const fs::path named = without_slash(folder);
    if (!named.empty()) {
      datasets::require_name("write_state", named);
    }
    const fs::path target = datasets::without_links("write_state", named);
    if (target.empty() || state.empty()) {
      raise<ValueError>("write_state", target.empty() ? "the name of the folder is empty"
                                                      : "the state is empty; give that of a model with variables");
    }
    require_state_or_nothing(target);
    if (!datasets::make_folders(target.parent_path())) {
      fail("write_state", target);
    }
    const datasets::Unpublished fresh(target, datasets::Unpublished::Kind::folder, 0777);
    if (fresh.descriptor() < 0) {
      fail("write_state", target);
    }
    for (const auto& [name, array] : state) {
      if (name.empty() || name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
        raise<ValueError>("write_state",
                          phrase("{} cannot be the name of a file; rename the member", datasets::backticked(name)));
      }
      datasets::require_npy_type("write_state", array);
      datasets::write_npy(fresh.path() / (name + ".npy"), array);
    }
    if (!publish(fresh, target)) {
      fail("write_state", target);
    }
  });
}

State read_state(const std::filesystem::path& folder, std::source_location where) {
  return located(where, [&] {
    datasets::require_name("read_state", folder);
    std::error_code error;
    State state;
    for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
      if (entry->path().extension() == ".npy") {
        state.emplace(entry->path().stem().string(), datasets::read_npy(entry->path()));
      }
    }
    if (error) {
      fail("read_state", folder, error.value());
    }
    if (state.empty()) {
      raise<FileError>("read_state", phrase("{}: there are no NPY files in it; give a folder that write_state wrote",
                                            folder.string()));
    }
    return state;
  });
}

}  // namespace xgrad::nn
