#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

/// \file
/// Internal: bytes to a file that appears complete or not at all.

// zlib's gzFile.
struct gzFile_s;

namespace xgrad::datasets {

/// Where writing to \p path leads to: what it links to, step by step, whether that exists or not.
/// \throws FileError for links in a circle.
std::filesystem::path without_links(std::string_view op, const std::filesystem::path& path);

class Unpublished;

/// A file beside its place, removed again unless it is published; once it is, it outlasts a power failure. Compressed by
/// gzip when the name ends in `.gz`. It has the rights of the file that it replaces. A symbolic link stays: what it links
/// to is replaced. What is no ordinary file, such as `/dev/null` or a pipe, is written to at once.
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

  /// Puts the file in its place, replacing what was there, and waits until that is on the disk: whenever the power fails,
  /// the place holds the one or the other as a whole. \throws FileError when that fails.
  void publish();

 private:
  int open();
  [[noreturn]] void fail() const;

  std::string op_;
  std::filesystem::path path_;
  std::filesystem::path target_;        // behind all links
  std::unique_ptr<Unpublished> fresh_;  // none when the target itself is written to
  gzFile_s* file_ = nullptr;
};

}  // namespace xgrad::datasets
