#include "datasets/quoted.hpp"

#include <cstddef>

#include "autograd/runtime/phrase.hpp"
#include "datasets/utf8.hpp"

namespace xgrad::datasets {

namespace {

constexpr std::size_t most_shown = 60;  // bytes that are shown

// How many bytes at the start of text are one printable character of UTF-8; 0 when they are none.
std::size_t printable(std::string_view text) {
  const std::size_t length = utf8_length(text);
  const bool is_command = (length == 1 && (static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7f)) ||
                          (length == 2 && text[0] == '\xc2' && static_cast<unsigned char>(text[1]) < 0xa0);
  return is_command ? 0 : length;
}

}  // namespace

std::string shown(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    if (at >= most_shown) {
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
