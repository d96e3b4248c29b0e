// So that names stand for themselves: open is not open64, and nothing is put before it.
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include <array>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/// \file
/// For LD_PRELOAD: notes what a program does to the files of a folder, XGRAD_RECORD_FOLDER, as lines in XGRAD_RECORD_LOG:
/// a word, and what belongs to it, between tabs. With XGRAD_RECORD_FAIL=N, call number N of fsync fails. What
/// XGRAD_RECORD_LACKS names, `locks` or `exchange`, fails as where a file system has no such thing.

namespace {

constexpr std::size_t most_descriptors = 1024;
std::array<bool, most_descriptors> watched = {};  // those that are open on something in the folder

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool is_watched(int descriptor) {
  return descriptor >= 0 && static_cast<std::size_t>(descriptor) < most_descriptors &&
         watched[static_cast<std::size_t>(descriptor)];
}

void watch(int descriptor, bool on) {
  if (descriptor >= 0) {
    watched.at(static_cast<std::size_t>(descriptor)) = on;
  }
}

template <class... Words>
void note(const Words&... words) {
  static const int log = static_cast<int>(
      syscall(SYS_openat, AT_FDCWD, environment("XGRAD_RECORD_LOG").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600));
  std::string line;
  ((line += std::string(line.empty() ? "" : "\t") + std::string(words)), ...);
  line += '\n';
  if (syscall(SYS_write, log, line.data(), line.size()) != static_cast<long>(line.size())) {
    std::abort();
  }
}

/// The path, from the root.
std::string absolute(int folder, std::string_view path) {
  if (path.starts_with('/')) {
    return std::string(path);
  }
  std::array<char, PATH_MAX> at = {};
  const std::string link = folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/" + std::to_string(folder);
  const ssize_t size = readlink(link.c_str(), at.data(), at.size());
  return std::string(at.data(), static_cast<std::size_t>(size < 0 ? 0 : size)) + "/" + std::string(path);
}

bool inside(std::string_view path) {
  static const std::string folder = environment("XGRAD_RECORD_FOLDER");
  return !folder.empty() && path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

int opened(int folder, const char* path, int flags, mode_t mode) {
  const std::string full = absolute(folder, path);
  struct stat status = {};
  const bool fresh = (flags & O_CREAT) != 0 && lstat(full.c_str(), &status) != 0;
  const int descriptor = static_cast<int>(syscall(SYS_openat, folder, path, flags, mode));
  if (descriptor >= 0 && inside(full)) {
    watch(descriptor, true);
    note("open", std::to_string(descriptor), full, fresh ? "fresh" : (flags & O_TRUNC) != 0 ? "emptied" : "there");
  }
  return descriptor;
}

mode_t mode_in(int flags, std::va_list& arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

int controlled(int descriptor, int command, long argument) {
  const int result = static_cast<int>(syscall(SYS_fcntl, descriptor, command, argument));
  if (result >= 0 && (command == F_DUPFD || command == F_DUPFD_CLOEXEC) && is_watched(descriptor)) {
    watch(result, true);
    note("duplicate", std::to_string(descriptor), std::to_string(result));
  }
  return result;
}

int removed(int folder, const char* path, bool is_folder) {
  const std::string full = absolute(folder, path);
  const int result = static_cast<int>(syscall(SYS_unlinkat, folder, path, is_folder ? AT_REMOVEDIR : 0));
  if (result == 0 && inside(full)) {
    note("remove", full);
  }
  return result;
}

bool lacks(const char* what) {
  if (environment("XGRAD_RECORD_LACKS") != what) {
    return false;
  }
  errno = EINVAL;
  return true;
}

int renamed(const char* from, const char* to, unsigned flags) {
  if (flags == RENAME_EXCHANGE && lacks("exchange")) {
    return -1;
  }
  const int result = static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags));
  if (result == 0 && inside(absolute(AT_FDCWD, to))) {
    note(flags == RENAME_EXCHANGE ? "exchange" : "rename", absolute(AT_FDCWD, from), absolute(AT_FDCWD, to));
  }
  return result;
}

ssize_t written(int descriptor, const void* bytes, std::size_t count, off_t at, bool has_place) {
  const long result =
      has_place ? syscall(SYS_pwrite64, descriptor, bytes, count, at) : syscall(SYS_write, descriptor, bytes, count);
  if (result > 0 && is_watched(descriptor)) {
    std::string digits;
    for (long i = 0; i < result; ++i) {
      std::array<char, 3> two = {};
      std::snprintf(two.data(), two.size(), "%02x", static_cast<const unsigned char*>(bytes)[i]);
      digits += two.data();
    }
    note("write", std::to_string(descriptor), has_place ? std::to_string(at) : std::string("next"), digits);
  }
  return result;
}

int synced(int descriptor, long number) {
  if (!is_watched(descriptor)) {
    return static_cast<int>(syscall(number, descriptor));
  }
  static int count = 0;
  if (std::to_string(++count) == environment("XGRAD_RECORD_FAIL")) {
    errno = EIO;
    return -1;
  }
  note("sync", std::to_string(descriptor));
  return static_cast<int>(syscall(number, descriptor));
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return opened(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return opened(folder, path, flags, mode);
}

int openat64(int folder, const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_in(flags, arguments);
  va_end(arguments);
  return opened(folder, path, flags, mode);
}

int close(int descriptor) {
  if (is_watched(descriptor)) {
    note("close", std::to_string(descriptor));
    watch(descriptor, false);
  }
  return static_cast<int>(syscall(SYS_close, descriptor));
}

int fcntl(int descriptor, int command, ...) {
  std::va_list arguments;
  va_start(arguments, command);
  const long argument = va_arg(arguments, long);
  va_end(arguments);
  return controlled(descriptor, command, argument);
}

int fcntl64(int descriptor, int command, ...) {
  std::va_list arguments;
  va_start(arguments, command);
  const long argument = va_arg(arguments, long);
  va_end(arguments);
  return controlled(descriptor, command, argument);
}

ssize_t write(int descriptor, const void* bytes, std::size_t count) {
  return written(descriptor, bytes, count, 0, false);
}
ssize_t pwrite(int descriptor, const void* bytes, std::size_t count, off_t at) {
  return written(descriptor, bytes, count, at, true);
}
ssize_t pwrite64(int descriptor, const void* bytes, std::size_t count, off_t at) {
  return written(descriptor, bytes, count, at, true);
}

int fsync(int descriptor) { return synced(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return synced(descriptor, SYS_fdatasync); }

int rename(const char* from, const char* to) { return renamed(from, to, 0); }
int renameat2(int, const char* from, int, const char* to, unsigned flags) { return renamed(from, to, flags); }

int flock(int descriptor, int operation) {
  return lacks("locks") ? -1 : static_cast<int>(syscall(SYS_flock, descriptor, operation));
}

int mkdir(const char* path, mode_t mode) {
  const int result = static_cast<int>(syscall(SYS_mkdirat, AT_FDCWD, path, mode));
  if (result == 0 && inside(absolute(AT_FDCWD, path))) {
    note("mkdir", absolute(AT_FDCWD, path));
  }
  return result;
}

int unlink(const char* path) { return removed(AT_FDCWD, path, false); }
int rmdir(const char* path) { return removed(AT_FDCWD, path, true); }
int unlinkat(int folder, const char* path, int flags) { return removed(folder, path, (flags & AT_REMOVEDIR) != 0); }
int remove(const char* path) {
  struct stat status = {};
  return removed(AT_FDCWD, path, lstat(path, &status) == 0 && S_ISDIR(status.st_mode));
}

}  // extern "C"
