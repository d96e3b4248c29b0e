#include "nn/writer_lock.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"
#include "datasets/output_file.hpp"

namespace xgrad::nn::detail {

namespace {

// The number of the process that has the lock, which it has written into the file.
std::string holder_of(int descriptor) {
  std::array<char, 16> digits = {};
  const ssize_t count = ::pread(descriptor, digits.data(), digits.size(), 0);
  std::string text(digits.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  return text.empty() || text.find_first_not_of("0123456789") != std::string::npos ? "another process"
                                                                                   : "process " + text;
}

}  // namespace

WriterLock::WriterLock(std::string_view op, const std::filesystem::path& path) {
  datasets::require_name(op, path);
  const std::filesystem::path target = datasets::without_links(op, path);
  lock_ = target.parent_path() / phrase(".{}.lock", target.filename().string());
  constexpr mode_t rights = 0644;
  for (;;) {
    descriptor_ = ::open(lock_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, rights);
    if (descriptor_ < 0) {
      datasets::raise_file_error(op, path, "a folder to write it to",
                                 phrase("an error ({})", datasets::system_message(errno)),
                                 "check the folder, its permissions and the free space");
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      const std::string holder = holder_of(descriptor_);
      ::close(std::exchange(descriptor_, -1));
      if (holder == phrase("process {}", ::getpid())) {
        return;
      }
      datasets::raise_file_error(op, path, "nobody else who writes it", holder,
                                 "end that, or choose another name for this run");
    }
    if (is_in_place()) {
      break;
    }
    ::close(descriptor_);  // whoever had it has removed it since it was opened
  }
  const std::string number = phrase("{}", ::getpid());
  // Only for the message above: it may stay empty.
  [[maybe_unused]] const bool noted =
      ::ftruncate(descriptor_, 0) == 0 && ::pwrite(descriptor_, number.data(), number.size(), 0) > 0;
}

WriterLock::~WriterLock() {
  if (descriptor_ >= 0) {
    ::unlink(lock_.c_str());
    ::close(descriptor_);
  }
}

// Whether the name still leads to what was opened.
bool WriterLock::is_in_place() const {
  struct stat opened = {};
  struct stat named = {};
  return ::fstat(descriptor_, &opened) == 0 && ::stat(lock_.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

}  // namespace xgrad::nn::detail
