#include "nn/report/html.hpp"

#include <cmath>

#include "autograd/runtime/phrase.hpp"
#include "datasets/utf8.hpp"

namespace xgrad::nn::detail {

namespace {

constexpr std::string_view replacement_character = "\xef\xbf\xbd";  // U+FFFD

std::string_view html_of(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  switch (first) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    case '\t':
    case '\n': return character;
    default: return first < 0x20 || first == 0x7f ? replacement_character : character;
  }
}

// Of a number of at least 0.001: with an exponent, all its digits stand before the point.
bool is_whole(std::string_view number) {
  return number.find('.') == std::string_view::npos || number.find('e') != std::string_view::npos;
}

}  // namespace

std::string escaped_html(std::string_view text) {
  std::string html;
  while (!text.empty()) {
    const std::size_t length = datasets::utf8_length(text);
    html += length == 0 ? replacement_character : html_of(text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return html;
}

std::string shortened_html(std::string_view text, std::size_t most) {
  std::size_t end = 0;
  for (std::size_t i = 0; i + 1 < most && end < text.size(); ++i) {
    const std::size_t length = datasets::utf8_length(text.substr(end));
    end += length == 0 ? 1 : length;
  }
  const std::size_t last = end < text.size() ? datasets::utf8_length(text.substr(end)) : 0;
  const bool fits = end + last >= text.size();
  return fits ? escaped_html(text) : escaped_html(text.substr(0, end)) + "…";
}

std::string number_text(double value) {
  if (!std::isfinite(value)) {
    return "–";
  }
  const double size = std::abs(value);
  if (size < 1e-3 || size >= 1e6) {
    return value == 0 ? "0" : phrase("{:.3g}", value);
  }
  // Ticks are multiples of a step, and off by rounding.
  constexpr double rounding = 1e-12;
  if (std::abs(value - std::round(value)) <= rounding * size) {
    return phrase("{:.0f}", value);
  }
  // An accuracy of 0.99996 is not 1.
  std::string text;
  for (int digits = 4; text.empty() || is_whole(text); ++digits) {
    text = phrase("{:.{}g}", value, digits);
  }
  return text;
}

std::string percent_text(double share) { return std::isfinite(share) ? phrase("{:.1f}\u00a0%", 100 * share) : "–"; }

std::string grouped_text(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

std::string duration_text(double seconds) {
  if (!(seconds >= 0) || !std::isfinite(seconds)) {
    return "–";
  }
  // From here on, three digits are 1000.
  constexpr double almost_thousand = 999.5;
  if (seconds * 1e6 < almost_thousand) {
    return phrase("{:.3g} µs", seconds * 1e6);
  }
  if (seconds * 1e3 < almost_thousand) {
    return phrase("{:.3g} ms", seconds * 1e3);
  }
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 120) {
    return phrase("{:.3g} s", seconds);
  }
  return whole < 7200 ? phrase("{} min {} s", whole / 60, whole % 60)
                      : phrase("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string HtmlTable::html() const {
  std::string text = phrase("<div class=\"scroll\"><table{}><thead><tr>", numbers ? " class=\"numbers\"" : "");
  for (const std::string& head : heads) {
    text += "<th scope=\"col\">" + head + "</th>";
  }
  text += "</tr></thead><tbody>\n";
  for (const std::vector<std::string>& row : rows) {
    text += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::size_t wide = i + 1 == row.size() ? heads.size() - i : 1;
      const std::string span = wide > 1 ? phrase(" colspan=\"{}\"", wide) : "";
      text += i == 0 ? "<th scope=\"row\">" + row[i] + "</th>" : "<td" + span + ">" + row[i] + "</td>";
    }
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

std::string details_html(std::string_view summary, const std::string& content) {
  return phrase("<details><summary>{}</summary>\n{}</details>\n", summary, content);
}

std::string section_html(std::string_view id, std::string_view title, const std::string& content) {
  return content.empty() ? std::string() : phrase("<section id=\"{}\"><h2>{}</h2>\n{}</section>\n", id, title, content);
}

std::string colour_class(std::size_t i) {
  constexpr std::size_t colours = 6;
  return phrase("k{}", i % colours);
}

}  // namespace xgrad::nn::detail
