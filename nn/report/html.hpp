#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// \file
/// Internal: the pieces that pages are made of.

namespace xgrad::nn::detail {

/// \p text as it may stand between tags and in quoted attributes. What is no UTF-8, and control characters, which HTML does
/// not have, become U+FFFD.
std::string escaped_html(std::string_view text);

/// The same for at most \p most characters, the rest of which is an ellipsis.
std::string shortened_html(std::string_view text, std::size_t most);

/// Four digits, or as many as it takes to tell it from a whole number; `–` for what is no finite number.
std::string number_text(double value);
/// A share in percent, which is not broken: `12.3 %`.
std::string percent_text(double share);
/// Digits in groups of three.
std::string grouped_text(std::int64_t number);
/// `3.2 s`, `4 min 10 s`, `2 h 3 min`.
std::string duration_text(double seconds);

/// Rows of cells, which are HTML already, under heads. The last cell of a row that has fewer stands under all that are left.
struct HtmlTable {
  std::vector<std::string> heads;
  std::vector<std::vector<std::string>> rows;
  bool numbers = true;  ///< whether all columns but the first are

  std::string html() const;
};

/// What is shown when one asks for it.
std::string details_html(std::string_view summary, const std::string& content);

/// A part of the page. \param content HTML; where there is none, there is no section.
std::string section_html(std::string_view id, std::string_view title, const std::string& content);

/// Everything about how the page looks.
std::string_view page_style();

/// A class that has the colour of number \p i.
std::string colour_class(std::size_t i);

}  // namespace xgrad::nn::detail
