#include "nn/checkpoint.hpp"

#include <cstdio>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"
#include "datasets/npy.hpp"
#include "datasets/output_file.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::nn {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(std::string_view op, const fs::path& folder, const std::error_code& error) {
  raise<FileError>(
      op, phrase("{}: {}; check the folder, its permissions and the free space", folder.string(), error.message()));
}

// A folder beside the one to be written; it is removed, with whatever is in it.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& folder) : path_(folder) {
    std::error_code error;
    if (path_.has_parent_path()) {
      fs::create_directories(path_.parent_path(), error);
    }
    path_ = datasets::temporary_name(path_);
    if (!error && !fs::create_directory(path_, error) && !error) {  // one that is there already is somebody else's
      error = std::make_error_code(std::errc::file_exists);
    }
    if (error) {
      fail("write_state", folder, error);
    }
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

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
void put_in_place(const fs::path& fresh, const fs::path& folder) {
  std::error_code error;
  const fs::file_status replaced = fs::status(folder, error);
  error.clear();  // which says that there is none
  if (fs::exists(replaced)) {
    fs::permissions(fresh, replaced.permissions(), error);
  }
  if (!fs::exists(replaced)) {
    fs::rename(fresh, folder, error);
  } else if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) != 0) {
    fs::path old = fresh;
    old += ".old";
    fs::rename(folder, old, error);
    if (!error) {
      fs::rename(fresh, folder, error);
      std::error_code ignored;
      fs::rename(old, error ? folder : fresh, ignored);  // back, or to be removed
    }
  }
  if (error) {
    fail("write_state", folder, error);
  }
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
    const TemporaryFolder fresh(target);
    for (const auto& [name, array] : state) {
      if (name.empty() || name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
        raise<ValueError>("write_state",
                          phrase("{} cannot be the name of a file; rename the member", datasets::backticked(name)));
      }
      datasets::write_npy(fresh.path() / (name + ".npy"), array);
    }
    put_in_place(fresh.path(), target);
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
      fail("read_state", folder, error);
    }
    if (state.empty()) {
      raise<FileError>("read_state", phrase("{}: there are no NPY files in it; give a folder that write_state wrote",
                                            folder.string()));
    }
    return state;
  });
}

}  // namespace xgrad::nn
