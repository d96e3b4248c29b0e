#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

/// \file
/// Internal: bytes to a file that appears complete or not at all.

// zlib's gzFile.
struct gzFile_s;

namespace xgrad::datasets {

/// A file under a temporary name, removed again unless it is published under its own. Compressed by gzip when the name
/// ends in `.gz`.
class OutputFile {
 public:
  /// \param op the function the user called, for messages.
  /// \throws FileError when the file cannot be made.
  OutputFile(std::string_view op, const std::filesystem::path& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  /// Appends. \throws FileError when that fails.
  void write(std::span<const std::byte> bytes);
  /// Appends. \throws FileError when that fails.
  void write(std::string_view text);

  /// Puts the file in its place, replacing what was there. \throws FileError when that fails.
  void publish();

 private:
  [[noreturn]] void fail() const;

  std::string op_;
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  gzFile_s* file_ = nullptr;
};

}  // namespace xgrad::datasets
