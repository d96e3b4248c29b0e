#pragma once

#include <cstddef>
#include <string_view>

/// \file
/// Internal: what is UTF-8 (RFC 3629).

namespace xgrad::datasets {

/// How many bytes at the start of \p text are one character; 0 when they are none.
constexpr std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  if (text.empty() || first < 0x80) {
    return text.empty() ? 0 : 1;
  }
  if (first < 0xc2 || first > 0xf4) {
    return 0;
  }
  // The second byte must not make what fewer bytes could, half of a pair of UTF-16, or more than U+10FFFF.
  const unsigned least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < least || byte(1) > most) {
    return 0;
  }
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) {
      return 0;
    }
  }
  return length;
}

/// Whether \p text is nothing else.
constexpr bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace xgrad::datasets
