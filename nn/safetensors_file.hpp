#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "datasets/random_access_file.hpp"
#include "nn/safetensors_header.hpp"

/// \file
/// Internal: safetensors files array by array, whatever their names.

namespace xgrad::nn::detail {

/// A safetensors file that is open for reading. Its arrays are read when asked for.
class SafetensorsFile {
 public:
  /// Reads the header. \param op the function the user called. \throws FileError for what is malformed.
  SafetensorsFile(std::string_view op, const std::filesystem::path& path);

  const SafetensorsHeader& header() const { return header_; }  ///< of the whole file
  /// The elements of an array of this file's. \throws FileError.
  Array read(const SafetensorsEntry& entry) const;

  /// \throws FileError `[op] path: expected ..., found ...`, and that the file should be written or fetched again.
  [[noreturn]] void refuse(std::string_view expected, std::string_view found) const;

 private:
  datasets::RandomAccessFile file_;
  std::uint64_t data_begin_ = 0;
  SafetensorsHeader header_;
};

/// Writes arrays by any names that are UTF-8. \throws FileError, ValueError as if from \p op.
void write_safetensors_file(std::string_view op, const std::filesystem::path& path, const State& arrays,
                            const Metadata& metadata);

}  // namespace xgrad::nn::detail
