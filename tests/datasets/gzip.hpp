#pragma once

#include <cstdint>
#include <string>

/// \file
/// Compressed test data, made without the library that reads them.

namespace xgrad::testing {

inline std::uint32_t crc32(const std::string& bytes) {
  std::uint32_t crc = ~0u;
  for (char byte : bytes) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0u);
    }
  }
  return ~crc;
}

/// A gzip member with one stored block (RFC 1951, 1952): short contents, every byte of it known to the test.
inline std::string gzip_stored(const std::string& content) {
  const auto little_endian = [](std::uint32_t value, int bytes) {
    std::string result;
    for (int i = 0; i < bytes; ++i) {
      result += static_cast<char>(value >> (8 * i));
    }
    return result;
  };
  const auto size = static_cast<std::uint32_t>(content.size());
  const std::string header = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, 3, 1};
  return header + little_endian(size, 2) + little_endian(~size, 2) + content + little_endian(crc32(content), 4) +
         little_endian(size, 4);
}

}  // namespace xgrad::testing
