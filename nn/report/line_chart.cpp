#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "autograd/runtime/phrase.hpp"
#include "nn/report/chart.hpp"
#include "nn/report/html.hpp"

namespace xgrad::nn::detail {

namespace {

// In the units of the drawing, which is as wide as its place on the page.
constexpr double chart_width = 460, chart_height = 250;
constexpr double plot_left = 54, plot_right = 446, plot_top = 14, plot_bottom = 212;
constexpr std::size_t most_hits = 100;    // places that show values under the pointer
constexpr std::size_t most_points = 500;  // of a line
constexpr std::size_t most_rows = 400;    // of the table

struct Range {
  double least = std::numeric_limits<double>::infinity();
  double largest = -std::numeric_limits<double>::infinity();

  void add(const EpochValues& values) {
    for (const std::optional<double>& value : values) {
      if (value && std::isfinite(*value)) {
        least = std::min(least, *value);
        largest = std::max(largest, *value);
      }
    }
  }
  bool empty() const { return least > largest; }
};

// In words and tables, where number_text would make it look absent.
std::string value_text(double value) { return std::isfinite(value) ? number_text(value) : "not finite"; }

std::size_t epochs_of(const std::vector<ChartSeries>& series) {
  std::size_t epochs = 0;
  for (const ChartSeries& each : series) {
    epochs = std::max(epochs, each.values.size());
  }
  return epochs;
}

bool spans_decades(const Range& range) {
  constexpr double decades = 40;
  return range.least > 0 && range.largest > decades * range.least;
}

// From epochs and values to places.
struct Frame {
  Ticks x, y;
  bool logarithmic;

  Frame(std::size_t epochs, const Range& values, bool as_logarithm)
      : x(linear_ticks(1, static_cast<double>(std::max<std::size_t>(epochs, 2)), true)),
        y(as_logarithm ? logarithmic_ticks(values.least, values.largest) : linear_ticks(values.least, values.largest)),
        logarithmic(as_logarithm) {}

  double across(double epoch) const {
    return plot_left + (epoch - x.first) / (x.last - x.first) * (plot_right - plot_left);
  }
  double down(double value) const {
    const double share =
        logarithmic ? std::log(value / y.first) / std::log(y.last / y.first) : (value - y.first) / (y.last - y.first);
    return plot_bottom - std::clamp(share, 0.0, 1.0) * (plot_bottom - plot_top);
  }
};

std::string grid_of(const Frame& frame) {
  std::string svg;
  for (const double value : frame.y.at) {
    const double y = frame.down(value);
    svg += phrase(
        "<path class=\"grid\" d=\"M{:.0f} {:.1f}H{:.0f}\"/><text class=\"end\" x=\"{:.0f}\" y=\"{:.1f}\">{}</text>\n",
        plot_left, y, plot_right, plot_left - 7, y + 4, number_text(std::abs(value) < 1e-12 ? 0 : value));
  }
  svg += phrase("<path class=\"axis\" d=\"M{:.0f} {:.0f}H{:.0f}\"/>\n", plot_left, plot_bottom, plot_right);
  for (const double epoch : frame.x.at) {
    if (epoch >= frame.x.first && epoch <= frame.x.last) {
      svg += phrase("<text class=\"mid\" x=\"{:.1f}\" y=\"{:.0f}\">{}</text>\n", frame.across(epoch), plot_bottom + 18,
                    number_text(epoch));
    }
  }
  return svg + phrase("<text class=\"mid\" x=\"{:.0f}\" y=\"{:.0f}\">epoch</text>\n", (plot_left + plot_right) / 2,
                      plot_bottom + 35);
}

// The epochs with a value.
std::vector<std::size_t> known_epochs(const EpochValues& values) {
  std::vector<std::size_t> known;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i]) {
      known.push_back(i);
    }
  }
  return known;
}

// The epochs that are drawn: all with a value, or of each of many ranges the least and the largest.
std::vector<std::size_t> drawn_epochs(const EpochValues& values) {
  const std::vector<std::size_t> known = known_epochs(values);
  std::vector<std::size_t> drawn;
  const std::size_t range = 1 + 2 * known.size() / most_points;
  for (std::size_t begin = 0; begin < known.size(); begin += range) {
    const auto first = known.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto end = known.begin() + static_cast<std::ptrdiff_t>(std::min(begin + range, known.size()));
    if (range == 1 || std::any_of(first, end, [&](std::size_t i) { return !std::isfinite(*values[i]); })) {
      drawn.insert(drawn.end(), first, end);
      continue;
    }
    const auto [low, high] =
        std::minmax_element(first, end, [&](std::size_t a, std::size_t b) { return *values[a] < *values[b]; });
    drawn.push_back(std::min(*low, *high));
    if (low != high) {
      drawn.push_back(std::max(*low, *high));
    }
  }
  return drawn;
}

struct ChartPoint {
  double x, y;
};

// Points that are connected; and where, instead, values are not finite, of each stretch the first place.
struct LinePieces {
  std::vector<std::vector<ChartPoint>> connected;
  std::vector<double> crosses;
};

LinePieces pieces_of(const Frame& frame, const EpochValues& values) {
  LinePieces pieces;
  enum class Last { none, point, cross } last = Last::none;
  for (const std::size_t i : drawn_epochs(values)) {
    const double x = frame.across(static_cast<double>(i + 1));
    if (!std::isfinite(*values[i])) {
      if (last != Last::cross) {
        pieces.crosses.push_back(x);
      }
      last = Last::cross;
      continue;
    }
    if (last != Last::point) {
      pieces.connected.emplace_back();
    }
    pieces.connected.back().push_back({x, frame.down(*values[i])});
    last = Last::point;
  }
  return pieces;
}

// A path through the points that are connected; one that stands alone, of which a path would show nothing, is a dot.
std::string line_of(const Frame& frame, const ChartSeries& series) {
  const LinePieces pieces = pieces_of(frame, series.values);
  const std::string style = phrase("{}{}", colour_class(series.colour), series.dashed ? " dash" : "");
  std::string svg, path;
  for (const double x : pieces.crosses) {
    svg += phrase("<path class=\"bad\" d=\"M{:.1f} {:.0f}l8 8m0 -8l-8 8\"/>", x - 4, plot_top);
  }
  for (const std::vector<ChartPoint>& points : pieces.connected) {
    if (points.size() == 1) {
      svg += phrase("<circle class=\"dot {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/>", style, points.front().x,
                    points.front().y);
      continue;
    }
    const char* command = "M";
    for (const ChartPoint& point : points) {
      path += phrase("{}{:.1f} {:.1f}", command, point.x, point.y);
      command = "L";
    }
  }
  return svg + (path.empty() ? "\n" : phrase("<path class=\"line {}\" d=\"{}\"/>\n", style, path));
}

// What shows up while the pointer is at an epoch.
std::string tip_of(const Frame& frame, const std::vector<ChartSeries>& series, std::size_t epoch) {
  constexpr std::size_t longest_name = 26;
  constexpr double line = 16, letter = 6.4;
  std::vector<const ChartSeries*> shown;
  std::size_t longest = 9;
  for (const ChartSeries& each : series) {
    if (epoch < each.values.size() && each.values[epoch]) {
      shown.push_back(&each);
      longest =
          std::max(longest, std::min(each.name.size(), longest_name) + 1 + value_text(*each.values[epoch]).size());
    }
  }
  const double x = frame.across(static_cast<double>(epoch + 1));
  const double width = letter * static_cast<double>(longest) + 14;
  const double begin = x + width + 12 < chart_width ? x + 10 : std::max(x - width - 10, 0.0);
  std::string svg = phrase("<g class=\"tip\"><line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.0f}\" y2=\"{:.0f}\"/>", x, x,
                           plot_top, plot_bottom);
  std::string text = phrase("epoch {}", epoch + 1);
  for (const ChartSeries* each : shown) {
    const double value = *each->values[epoch];
    text += phrase("<tspan x=\"{:.1f}\" dy=\"{:.0f}\">{} {}</tspan>", begin + 7, line,
                   shortened_html(each->name, longest_name), value_text(value));
    svg += std::isfinite(value) ? phrase("<circle class=\"dot {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"/>",
                                         colour_class(each->colour), x, frame.down(value))
                                : std::string();
  }
  return svg + phrase(
                   "<rect x=\"{:.1f}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"{:.0f}\" rx=\"4\"/><text x=\"{:.1f}\" "
                   "y=\"{:.0f}\">{}</text></g>",
                   begin, plot_top, width, line * static_cast<double>(shown.size() + 1) + 9, begin + 7, plot_top + 17,
                   text);
}

std::string hits_of(const Frame& frame, const std::vector<ChartSeries>& series, std::size_t epochs) {
  std::string svg;
  const std::size_t every = (epochs + most_hits - 1) / most_hits;
  for (std::size_t last = epochs; last > 0; last = last > every ? last - every : 0) {
    const double half = static_cast<double>(every) / 2;
    const double begin = std::max(frame.across(static_cast<double>(last) - half), plot_left - 10);
    const double end = std::min(frame.across(static_cast<double>(last) + half), plot_right + 10);
    svg += phrase(
        "<g class=\"at\"><rect class=\"hit\" x=\"{:.1f}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"{:.0f}\"/>{}"
        "</g>\n",
        begin, plot_top, end - begin, plot_bottom - plot_top, tip_of(frame, series, last - 1));
  }
  return svg;
}

std::string mark_of(const Frame& frame, const ChartMark& mark) {
  const double x = frame.across(static_cast<double>(mark.epoch));
  const bool is_right = x > (plot_left + plot_right) / 2;
  return phrase(
      "<path class=\"best\" d=\"M{:.1f} {:.0f}V{:.0f}\"/><text class=\"{}\" x=\"{:.1f}\" y=\"{:.0f}\">{}"
      "</text>\n",
      x, plot_top, plot_bottom, is_right ? "end" : "", x + (is_right ? -5 : 5), plot_top - 3, escaped_html(mark.text));
}

std::string band_of(const Frame& frame, const std::pair<double, double>& band) {
  const double low = frame.down(std::max(band.first, frame.y.first));
  const double high = frame.down(std::min(band.second, frame.y.last));
  return low > high ? phrase("<rect class=\"band\" x=\"{:.0f}\" y=\"{:.1f}\" width=\"{:.0f}\" height=\"{:.1f}\"/>\n",
                             plot_left, high, plot_right - plot_left, low - high)
                    : std::string();
}

// The same in words, for those who do not see it.
std::string words_of(const LineChart& chart) {
  std::string text = chart.title + " by epoch";
  if (chart.mark) {
    text += ", " + chart.mark->text;
  }
  for (const ChartSeries& each : chart.series) {
    Range range;
    range.add(each.values);
    if (!range.empty()) {
      const std::vector<std::size_t> known = known_epochs(each.values);
      text += phrase("; {}: from {} in epoch {} to {} in epoch {}, between {} and {}", each.name,
                     value_text(*each.values[known.front()]), known.front() + 1, value_text(*each.values[known.back()]),
                     known.back() + 1, number_text(range.least), number_text(range.largest));
    }
  }
  return escaped_html(text);
}

std::string legend_of(const std::vector<ChartSeries>& series) {
  std::string html = "<div class=\"legend\">";
  for (const ChartSeries& each : series) {
    html += phrase("<span class=\"{}\"><i{}></i>{}</span>", colour_class(each.colour),
                   each.dashed ? " class=\"dash\"" : "", shortened_html(each.name, 40));
  }
  return html + "</div>\n";
}

std::string table_of(const std::vector<ChartSeries>& series, std::size_t epochs) {
  HtmlTable table{.heads = {"epoch"}, .rows = {}};
  for (const ChartSeries& each : series) {
    table.heads.push_back(escaped_html(each.name));
  }
  const std::size_t every = (epochs + most_rows - 1) / most_rows;
  for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
    if (epoch % every != 0 && epoch + 1 != epochs) {
      continue;
    }
    std::vector<std::string> row = {std::to_string(epoch + 1)};
    for (const ChartSeries& each : series) {
      const std::optional<double> value = epoch < each.values.size() ? each.values[epoch] : std::nullopt;
      row.push_back(!value ? "–" : std::isfinite(*value) ? phrase("{:.6g}", *value) : value_text(*value));
    }
    table.rows.push_back(std::move(row));
  }
  return details_html("table", table.html());
}

}  // namespace

std::string LineChart::html() const {
  Range range;
  for (const ChartSeries& each : series) {
    range.add(each.values);
  }
  if (range.empty()) {
    return "";
  }
  const std::size_t epochs = epochs_of(series);
  const Frame frame(epochs, range, range.least > 0 && (logarithmic || spans_decades(range)));
  std::string svg = phrase("<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">\n", chart_width,
                           chart_height, words_of(*this));
  svg += (band ? band_of(frame, *band) : "") + grid_of(frame) + (mark ? mark_of(frame, *mark) : "");
  for (const ChartSeries& each : series) {
    svg += line_of(frame, each);
  }
  svg += hits_of(frame, series, epochs) + "</svg>\n";
  const std::string scale = frame.logarithmic ? " <span class=\"note\">(logarithmic)</span>" : "";
  return "<figure><figcaption>" + escaped_html(title) + scale + "</figcaption>\n" + legend_of(series) + svg +
         (note.empty() ? "" : "<p class=\"note\">" + note + "</p>\n") + table_of(series, epochs) + "</figure>\n";
}

}  // namespace xgrad::nn::detail
