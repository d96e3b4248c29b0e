#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "datasets/npy_stream.hpp"
#include "datasets/output_file.hpp"

/// \file
/// Internal: a zip file that appears complete or not at all.

namespace xgrad::datasets {

/// Gives a sink some bytes, the same ones whenever it is called.
using ByteProducer = std::function<void(const ByteSink&)>;

/// Writes a zip file of entries that are stored as they are, not compressed, of any size. It is written front to back.
class ZipWriter {
 public:
  /// \param op the function the user called, for messages. \throws FileError when the file cannot be made.
  ZipWriter(std::string_view op, const std::filesystem::path& path) : file_(op, path) {}

  /// Adds an entry. \param name UTF-8, of less than 2^16 bytes. \param produce is called twice: its size and checksum come
  /// before the bytes. \throws FileError.
  void add(const std::string& name, const ByteProducer& produce);

  /// Writes the directory and puts the file in its place. \throws FileError when that fails.
  void publish();

 private:
  void write(std::string_view bytes);

  OutputFile file_;
  std::uint64_t position_ = 0;
  std::uint64_t count_ = 0;
  std::string directory_;
};

}  // namespace xgrad::datasets
