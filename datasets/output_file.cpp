#include "datasets/output_file.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include <unistd.h>
#include <zlib.h>

#include "autograd/runtime/phrase.hpp"
#include "datasets/input_file.hpp"

namespace xgrad::datasets {

OutputFile::OutputFile(std::string_view op, const std::filesystem::path& path)
    : op_(op), path_(path), temporary_(path) {
  static std::atomic<unsigned> counter{0};
  temporary_ += phrase(".{}-{}.part", ::getpid(), counter++);
  const char* mode = path.extension() == ".gz" ? "wb6" : "wbT";  // zlib: T writes uncompressed
  errno = 0;
  file_ = gzopen(temporary_.c_str(), mode);
  if (file_ == nullptr) {
    fail();
  }
}

OutputFile::~OutputFile() {
  if (file_ != nullptr) {
    gzclose(file_);
  }
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void OutputFile::write(std::span<const std::byte> bytes) {
  constexpr std::size_t most = std::size_t{1} << 30;  // zlib counts in unsigned int
  while (!bytes.empty()) {
    const std::span<const std::byte> part = bytes.first(std::min(most, bytes.size()));
    if (gzwrite(file_, part.data(), static_cast<unsigned>(part.size())) <= 0) {
      fail();
    }
    bytes = bytes.subspan(part.size());
  }
}

void OutputFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void OutputFile::publish() {
  if (gzclose(std::exchange(file_, nullptr)) != Z_OK) {
    fail();
  }
  std::error_code error;
  std::filesystem::rename(temporary_, path_, error);
  if (error) {
    errno = error.value();
    fail();
  }
}

void OutputFile::fail() const {
  raise_file_error(op_, path_, "a place to write the file",
                   phrase("an error ({})", std::generic_category().message(errno)),
                   "check the folder, its permissions and the free space");
}

}  // namespace xgrad::datasets
