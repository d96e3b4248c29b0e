#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/random_access_file.hpp"

/// \file
/// Internal: what is in a zip file.

namespace xgrad::datasets {

/// A file in a zip file.
struct ZipEntry {
  std::string name;
  bool deflated = false;           ///< compressed; otherwise stored as it is
  std::uint32_t crc = 0;           ///< of its bytes
  std::uint64_t bytes = 0;         ///< how many it has
  std::uint64_t stored_bytes = 0;  ///< how many it takes in the zip file
  std::uint64_t begin = 0;         ///< where these begin
};

/// Reads the directory of a zip file, in one part and of any size. Takes the memory of what it reads alone.
/// \throws FileError for what is no zip file or has no entries, and where parts of it are not where others say; for entries
///         that are encrypted, compressed by other means than deflate, overlap, have a name twice, a size that they cannot
///         have, or another description in the directory than before their bytes.
std::vector<ZipEntry> read_zip_directory(const RandomAccessFile& file);

}  // namespace xgrad::datasets
