#include "autograd/graph/dot_text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xgrad::detail {

namespace {

/// How many bytes the character at the front takes; 0 where it is none: not UTF-8, or one that controls.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) {
    return byte(0) >= 0x20 && byte(0) != 0x7f ? 1 : 0;
  }
  const std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < size) {
    return 0;
  }
  std::uint32_t code = byte(0) & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if (byte(i) >> 6 != 2) {
      return 0;
    }
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr std::uint32_t least[] = {0, 0, 0xa0, 0x800, 0x10000};
  return code >= least[size] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? size : 0;
}

// Characters, each as DOT has it.
std::vector<std::string> characters_of(std::string_view text) {
  std::vector<std::string> characters;
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view own = text.substr(0, std::max<std::size_t>(size, 1));
    if (size == 0) {
      characters.emplace_back("\xef\xbf\xbd");  // U+FFFD, the replacement character
    } else if (own == "&") {
      characters.emplace_back("&amp;");  // or `&lt;` would be read as <
    } else {
      std::string& character = characters.emplace_back(own == "\"" || own == "\\" ? "\\" : "");
      character += own;
    }
    text.remove_prefix(own.size());
  }
  return characters;
}

using Characters = std::vector<std::string>;

// Where the first line of at most width ends, and where the next begins.
std::pair<std::size_t, std::size_t> line_end(const Characters& all, std::size_t begin, std::size_t width) {
  if (all.size() - begin <= width) {
    return {all.size(), all.size()};
  }
  for (std::size_t end = begin + width; end > begin + width / 2; --end) {
    if (all[end] == " ") {
      return {end, end + 1};
    }
  }
  return {begin + width, begin + width};
}

}  // namespace

std::string dot_escaped(std::string_view text) {
  std::string result;
  for (const std::string& character : characters_of(text)) {
    result += character;
  }
  return result;
}

std::string dot_lines(std::string_view text, std::size_t width, std::size_t most) {
  const Characters all = characters_of(text);
  std::string result;
  std::size_t count = 0;
  for (std::size_t begin = 0; begin < all.size(); ++count) {
    if (count == most) {
      return result + "...\\l";
    }
    const auto [end, next] = line_end(all, begin, width);
    for (std::size_t i = begin; i < end; ++i) {
      result += all[i];
    }
    result += "\\l";
    begin = next;
  }
  return result;
}

}  // namespace xgrad::detail
