#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// \file
/// Internal: text in DOT, whatever it holds.

namespace xgrad::detail {

/// \p text between the quotes of a string in DOT, where it stands for itself.
std::string dot_escaped(std::string_view text);
/// The lines of a label, each to the left, of at most \p width characters: longer ones are broken at spaces where they
/// can be; of more than \p most lines the rest is left out.
std::string dot_lines(std::string_view text, std::size_t width, std::size_t most);

}  // namespace xgrad::detail
