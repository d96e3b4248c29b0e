#include "datasets/unpublished.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autograd/runtime/phrase.hpp"

namespace xgrad::datasets {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t digits = 16;
constexpr std::string_view ending = ".part";
constexpr std::string_view aside = ".old";

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : "."; }

// What the names beside a target begin with. A long name is cut, between two characters of UTF-8: what was left beside
// another that begins in the same way is removed with it.
std::string beginning_of(const fs::path& target) {
  const long limit = ::pathconf(folder_of(target).c_str(), _PC_NAME_MAX);
  constexpr std::size_t added = digits + ending.size() + aside.size() + 2;
  const std::size_t most = std::max(limit > 0 ? static_cast<std::size_t>(limit) : NAME_MAX, added) - added;
  std::string name = target.filename().native();
  if (name.size() > most) {
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0U) == 0x80) {
      --end;
    }
    name.resize(end);
  }
  return "." + name + ".";
}

std::string random_digits() {
  std::random_device random;
  return phrase("{:016x}", (std::uint64_t{random()} << 32) | random());
}

bool is_left_name(std::string_view name, std::string_view beginning) {
  if (name.ends_with(aside)) {
    name.remove_suffix(aside.size());
  }
  return name.size() == beginning.size() + digits + ending.size() && name.starts_with(beginning) &&
         name.ends_with(ending) &&
         name.substr(beginning.size(), digits).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

enum class Lock { taken, held_by_another, impossible };

Lock lock(int descriptor) {
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR) {
      return errno == EWOULDBLOCK ? Lock::held_by_another : Lock::impossible;
    }
  }
  return Lock::taken;
}

bool sync_descriptor(int descriptor) {
  while (::fsync(descriptor) != 0) {
    if (errno != EINTR) {
      return errno == EINVAL;  // a file system that has no such thing, for folders
    }
  }
  return true;
}

void close_and_keep_error(int descriptor) {
  const int error = errno;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  errno = error;
}

// What is around the path, which is open as descriptor.
bool sync_around(const fs::path& path, int descriptor) {
  const int folder = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) {
    return errno == EACCES && ::syncfs(descriptor) == 0;  // entries can be made there, but not read
  }
  const bool done = sync_descriptor(folder);
  close_and_keep_error(folder);
  return done;
}

// Removes what nobody holds a lock on: its writer has ended. What was set aside goes back if nothing came in its place.
void remove_if_left(const fs::path& path, const fs::path& target) {
  const bool is_aside = path.extension() == aside;
  const fs::path locked = is_aside ? fs::path(path).replace_extension() : path;
  constexpr int flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  int descriptor = ::open(locked.c_str(), O_RDWR | flags);  // over NFS, only what is open for writing can be locked
  if (descriptor < 0) {
    descriptor = ::open(locked.c_str(), O_RDONLY | flags);
  }
  if (descriptor >= 0 ? lock(descriptor) == Lock::taken : is_aside && errno == ENOENT) {
    std::error_code ignored;
    if (is_aside && !fs::exists(target, ignored)) {
      fs::rename(path, target, ignored);
    } else {
      fs::remove_all(path, ignored);
    }
  }
  close_and_keep_error(descriptor);
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

}  // namespace

// Not by std::filesystem: some folders have many thousands of entries.
void remove_left(const fs::path& target) {
  const std::string beginning = beginning_of(target);
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir(folder_of(target).c_str()));
  std::vector<fs::path> left;
  for (const dirent* entry = nullptr; folder && (entry = ::readdir(folder.get())) != nullptr;) {
    if (is_left_name(entry->d_name, beginning)) {
      left.push_back(target.parent_path() / entry->d_name);
    }
  }
  for (const fs::path& path : left) {
    remove_if_left(path, target);
  }
}

// Between its making and its locking another writer may take it for left, and remove it.
Unpublished::Unpublished(const fs::path& target, Kind kind, mode_t mode) {
  remove_left(target);
  const std::string beginning = beginning_of(target);
  constexpr int most = 100;
  for (int i = 0; i < most; ++i) {
    path_ = target.parent_path() / phrase("{}{}{}", beginning, random_digits(), ending);
    if (!make(kind, mode)) {
      return;
    }
    struct stat status = {};
    if (descriptor_ >= 0 && lock(descriptor_) != Lock::held_by_another && ::lstat(path_.c_str(), &status) == 0) {
      return;
    }
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    close_and_keep_error(std::exchange(descriptor_, -1));
  }
  errno = EBUSY;
}

// Nobody can have put a link under the name: it is random, and must not be there yet. True, without a descriptor, when
// the folder is made but gone already.
bool Unpublished::make(Kind kind, mode_t mode) {
  constexpr int flags = O_NOFOLLOW | O_CLOEXEC;
  const bool made = kind == Kind::file
                        ? (descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | flags, mode)) >= 0
                        : ::mkdir(path_.c_str(), mode) == 0;
  if (!made) {
    path_.clear();  // what is there is somebody else's
    return false;
  }
  if (kind == Kind::folder) {
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | flags);
  }
  return descriptor_ >= 0 || errno == ENOENT;
}

Unpublished::~Unpublished() {
  const int error = errno;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  errno = error;
  close_and_keep_error(descriptor_);
}

fs::path Unpublished::aside() const { return phrase("{}{}", path_.string(), datasets::aside); }

bool Unpublished::sync() const { return sync_descriptor(descriptor_); }

bool Unpublished::sync_around() const { return datasets::sync_around(path_, descriptor_); }

bool sync_file(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const bool done = descriptor >= 0 && sync_descriptor(descriptor);
  close_and_keep_error(descriptor);
  return done;
}

bool make_folders(const fs::path& folder) {
  std::error_code error;
  if (folder.empty() || fs::is_directory(folder, error)) {
    return true;
  }
  if (!make_folders(folder.parent_path()) || (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)) {
    return false;
  }
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool done = descriptor >= 0 && sync_around(folder, descriptor);
  close_and_keep_error(descriptor);
  return done;
}

}  // namespace xgrad::datasets
