#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

/// \file
/// Internal: bytes from anywhere in a file.

namespace xgrad::datasets {

/// A file of which parts are read into memory of the caller's. It is not mapped: one that is truncated while it is read
/// gives an error, where a map would end the process.
class RandomAccessFile {
 public:
  /// \param op the function the user called, for messages.
  /// \throws FileError when \p path cannot be opened, or is no ordinary file.
  RandomAccessFile(std::string_view op, const std::filesystem::path& path);
  RandomAccessFile(const RandomAccessFile&) = delete;
  RandomAccessFile& operator=(const RandomAccessFile&) = delete;
  ~RandomAccessFile();

  /// In bytes, as it was when the file was opened.
  std::uint64_t size() const { return size_; }
  /// Fills \p out from byte \p offset on. \throws FileError when that fails, or the file ends before.
  void read(std::uint64_t offset, std::span<std::byte> out) const;

  /// \throws FileError `[op] path: expected ..., found ...; next_step`.
  [[noreturn]] void fail(std::string_view expected, std::string_view found, std::string_view next_step) const;

 private:
  std::string op_;
  std::filesystem::path path_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace xgrad::datasets
