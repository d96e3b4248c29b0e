#include "datasets/quoted.hpp"

#include <cstddef>

#include "autograd/runtime/phrase.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::size_t most = 60;  // bytes that are shown

// How many bytes at the start of text are one printable character of UTF-8; 0 when they are none.
std::size_t printable(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return first >= 0x20 && first != 0x7f ? 1 : 0;
  }
  const std::size_t length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || (first == 0xc2 && byte(1) < 0xa0)) {  // U+0080 to U+009F are commands, too
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) {
      return 0;
    }
  }
  return length;
}

}  // namespace

std::string shown(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    if (at >= most) {
      return result + phrase("... ({} bytes)", text.size());
    }
    const std::size_t length = printable(text.substr(at));
    result +=
        length > 0 ? std::string(text.substr(at, length)) : phrase("\\x{:02x}", static_cast<unsigned char>(text[at]));
    at += length > 0 ? length : 1;
  }
  return result;
}

std::string backticked(std::string_view text) { return phrase("`{}`", shown(text)); }

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t enough = 200;
  std::string text;
  for (const std::string& name : names) {
    if (text.size() > enough) {
      return text + ", ...";
    }
    text += (text.empty() ? "" : ", ") + shown(name);
  }
  return text;
}

}  // namespace xgrad::datasets
