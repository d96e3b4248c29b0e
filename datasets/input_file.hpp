#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "datasets/byte_source.hpp"

/// \file
/// Internal: bytes from a file that may be compressed.

namespace xgrad::datasets {

/// \throws FileError `[op] path: expected ..., found ...; next_step`.
[[noreturn]] void raise_file_error(std::string_view op, const std::filesystem::path& path, std::string_view expected,
                                   std::string_view found, std::string_view next_step);

/// What the system says of a value of errno.
std::string system_message(int error);

/// \throws FileError for an empty name, and for one with a NUL byte, at which the system would take it to end.
void require_name(std::string_view op, const std::filesystem::path& path);

/// A file read front to back; decompressed on the way when its first bytes are gzip's magic number.
class InputFile : public ByteSource {
 public:
  /// \param op the function the user called, for messages.
  /// \throws FileError when \p path cannot be opened or read.
  InputFile(std::string_view op, const std::filesystem::path& path);
  ~InputFile() override;

  /// As ByteSource has it. At the end, nothing follows the compressed data.
  /// \throws FileError when reading fails or the compressed data are damaged or truncated.
  std::size_t read(std::byte* out, std::size_t count) override;

  /// Bytes of the file, compressed or not, that have been read.
  std::uint64_t bytes_read() const { return from_file_; }
  /// Bytes that it has; 0 where nobody knows, as of a pipe.
  std::uint64_t file_bytes() const { return file_bytes_; }

 private:
  std::size_t read_plain(std::byte* out, std::size_t count);
  std::size_t read_gzip(std::byte* out, std::size_t count);
  bool refill();
  [[noreturn]] void raise_damaged(std::string_view found) const;

  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::unique_ptr<std::FILE, CloseFile> file_;
  std::vector<Bytef> buffer_;
  z_stream stream_{};  // next_in and avail_in are the unread part of the buffer, for plain files too
  bool gzip_ = false;
  bool inside_member_ = true;  // gzip files may be concatenated: each part is a member
  std::uint64_t decompressed_ = 0;
  std::uint64_t from_file_ = 0;  // bytes so far
  std::uint64_t file_bytes_ = 0;
};

}  // namespace xgrad::datasets
