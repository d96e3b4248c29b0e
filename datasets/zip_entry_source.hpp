#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "datasets/byte_source.hpp"
#include "datasets/random_access_file.hpp"
#include "datasets/zip_directory.hpp"

/// \file
/// Internal: the bytes of what is in a zip file.

namespace xgrad::datasets {

/// The bytes of an entry.
class ZipEntrySource : public ByteSource {
 public:
  /// \p file and \p entry outlive it. \p name is for messages.
  ZipEntrySource(std::string_view op, std::string name, const RandomAccessFile& file, const ZipEntry& entry);
  ~ZipEntrySource() override;

  /// As ByteSource has it: at the end, size and checksum are those that the directory states.
  /// \throws FileError when they are not.
  std::size_t read(std::byte* out, std::size_t count) override;

  std::optional<std::uint64_t> stated_bytes() const override { return entry_.bytes - done_; }

  /// Reads what is left, and drops it. \throws FileError as read does.
  void check_rest();

 private:
  std::size_t inflate_to(std::byte* out, std::size_t count);
  bool refill();
  void check_end();
  [[noreturn]] void raise_damaged(std::string_view expected, std::string_view found) const;

  const RandomAccessFile& file_;
  const ZipEntry& entry_;
  std::uint64_t done_ = 0;   // bytes that were given out
  std::uint64_t taken_ = 0;  // bytes that were read from the file
  uLong crc_ = crc32(0, nullptr, 0);
  std::vector<std::byte> buffer_;  // compressed bytes
  z_stream stream_{};
  bool stream_ended_ = false;
};

}  // namespace xgrad::datasets
