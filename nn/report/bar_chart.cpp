#include <algorithm>

#include "autograd/runtime/phrase.hpp"
#include "nn/report/chart.hpp"
#include "nn/report/html.hpp"

namespace xgrad::nn::detail {

std::string BarChart::html() const {
  constexpr double width = 460, row = 27, names = 150, room = 215;
  constexpr std::size_t longest_name = 20;
  double largest = 0;
  for (const Bar& bar : bars) {
    largest = std::max(largest, bar.share);
  }
  if (largest == 0) {
    return "";
  }
  std::string svg, words = title;
  double y = 0;
  for (const Bar& bar : bars) {
    const double length = std::max(room * bar.share / largest, 1.0);
    svg += phrase(
        "<g><title>{}</title><text class=\"end in\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>"
        "<rect class=\"bar {}\" x=\"{:.0f}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"15\" rx=\"2\"/>"
        "<text x=\"{:.1f}\" y=\"{:.0f}\">{}</text></g>\n",
        escaped_html(bar.hover), names - 8, y + 17, shortened_html(bar.name, longest_name), colour_class(colour), names,
        y + 5, length, names + length + 7, y + 17, escaped_html(bar.value));
    words += phrase("; {}: {}", bar.name, bar.value);
    y += row;
  }
  return phrase(
      "<figure><figcaption>{}</figcaption>\n<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">"
      "\n{}</svg></figure>\n",
      escaped_html(title), width, y + 4, escaped_html(words), svg);
}

}  // namespace xgrad::nn::detail
