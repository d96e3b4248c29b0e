#include "datasets/random_access_file.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"

namespace xgrad::datasets {

RandomAccessFile::RandomAccessFile(std::string_view op, const std::filesystem::path& path)
    : op_(op), path_(path), descriptor_(-1) {
  require_name(op, path);
  // Opening a pipe would wait for a writer.
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    fail("a readable file", phrase("none ({})", system_message(errno)), "check the path and its permissions");
  }
  struct stat found = {};
  const bool known = ::fstat(descriptor_, &found) == 0;
  if (!known || !S_ISREG(found.st_mode)) {
    ::close(descriptor_);
    fail("an ordinary file", known && S_ISDIR(found.st_mode) ? "a folder" : "something else",
         "give the path of a file");
  }
  size_ = static_cast<std::uint64_t>(found.st_size);
}

RandomAccessFile::~RandomAccessFile() { ::close(descriptor_); }

void RandomAccessFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  constexpr std::size_t most = std::size_t{1} << 30;  // Linux reads no more than 2 GB at a time
  while (!out.empty()) {
    const ssize_t count = ::pread(descriptor_, out.data(), std::min(most, out.size()), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      fail("a readable file", phrase("a read error ({})", system_message(errno)), "check the disk and the permissions");
    }
    if (count == 0) {
      fail(phrase("{} more bytes at byte {}", out.size(), offset), "the end of the file", "fetch the file again");
    }
    offset += static_cast<std::uint64_t>(count);
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

void RandomAccessFile::fail(std::string_view expected, std::string_view found, std::string_view next_step) const {
  raise_file_error(op_, path_, expected, found, next_step);
}

}  // namespace xgrad::datasets
