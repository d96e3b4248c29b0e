#include "svg.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>

namespace svg {

namespace {

constexpr double width = 440, height = 330;                     // of a panel
constexpr double left = 62, right = 14, top = 34, bottom = 46;  // its margins
constexpr std::array colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                "#e69f00", "#56b4e9", "#000000", "#8b6c42"};  // told apart by all kinds of eyes

// From the units of a diagram to those of the picture.
struct Frame {
  Range x, y;
  bool logarithmic;
  double offset;  // of the panel

  double horizontal(double value) const {
    return offset + left + (width - left - right) * (value - x.low) / (x.high - x.low);
  }
  double vertical(double value) const {
    const double part =
        logarithmic ? std::log(value / y.low) / std::log(y.high / y.low) : (value - y.low) / (y.high - y.low);
    return height - bottom - (height - top - bottom) * part;
  }
};

using Output = std::back_insert_iterator<std::string>;

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    result += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
  }
  return result;
}

void put_text(Output out, double x, double y, const std::string& anchor, const std::string& text,
              const std::string& more = "") {
  fmt::format_to(out, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more,
                 escaped(text));
}

void put_line(Output out, double x1, double y1, double x2, double y2) {
  fmt::format_to(out, "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#ddd\"/>\n", x1, y1, x2,
                 y2);
}

// The range of one coordinate over all curves.
Range extent(const Panel& panel, double Point::*coordinate) {
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const Curve& curve : panel.curves) {
    for (const Point& point : curve.points) {
      if (std::isfinite(point.*coordinate)) {
        range = {std::min(range.low, point.*coordinate), std::max(range.high, point.*coordinate)};
      }
    }
  }
  return range.low < range.high ? range : Range{range.low - 1, range.low + 1};
}

Range padded(Range range, bool logarithmic) {
  if (logarithmic) {
    return {range.low / 1.2, range.high * 1.2};
  }
  const double room = 0.04 * (range.high - range.low);
  return {range.low - room, range.high + room};
}

// Where an axis has a mark, and what it says.
struct Tick {
  double value;
  std::string text;
};

// About five round numbers in a range: multiples of 1, 2 or 5 times a power of ten.
std::vector<Tick> ticks(Range range) {
  const double raw = (range.high - range.low) / 5;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double step = power * (raw < 2 * power ? 2 : raw < 5 * power ? 5 : 10);
  std::vector<Tick> result;
  for (double i = std::ceil(range.low / step); i * step <= range.high; ++i) {
    result.push_back({i * step, fmt::format("{:.4g}", i == 0 ? 0 : i * step)});
  }
  return result;
}

// At most six powers of ten.
std::vector<Tick> logarithmic_ticks(Range range) {
  const int first = static_cast<int>(std::ceil(std::log10(range.low)));
  const int last = static_cast<int>(std::floor(std::log10(range.high)));
  std::vector<Tick> result;
  for (int exponent = first; exponent <= last; exponent += (last - first) / 6 + 1) {
    result.push_back({std::pow(10, exponent), fmt::format("1e{}", exponent)});
  }
  return result;
}

void draw_axes(Output out, const Panel& panel, const Frame& frame) {
  const double x0 = frame.offset + left, x1 = frame.offset + width - right, y0 = height - bottom, y1 = top;
  for (const Tick& tick : ticks(frame.x)) {
    put_line(out, frame.horizontal(tick.value), y0, frame.horizontal(tick.value), y1);
    put_text(out, frame.horizontal(tick.value), y0 + 15, "middle", tick.text);
  }
  for (const Tick& tick : frame.logarithmic ? logarithmic_ticks(frame.y) : ticks(frame.y)) {
    put_line(out, x0, frame.vertical(tick.value), x1, frame.vertical(tick.value));
    put_text(out, x0 - 5, frame.vertical(tick.value) + 4, "end", tick.text);
  }
  fmt::format_to(out,
                 "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"none\" stroke=\"#888\"/>\n",
                 x0, y1, x1 - x0, y0 - y1);
  put_text(out, (x0 + x1) / 2, top - 12, "middle", panel.title, " font-weight=\"bold\"");
  put_text(out, (x0 + x1) / 2, height - 10, "middle", panel.x_title);
  const double y = (y0 + y1) / 2;
  put_text(out, frame.offset + 14, y, "middle", panel.y_title,
           fmt::format(" transform=\"rotate(-90 {:.1f} {:.1f})\"", frame.offset + 14, y));
}

void draw_curve(Output out, const Curve& curve, const Frame& frame, const char* colour) {
  fmt::format_to(out, "<path fill=\"none\" stroke=\"{}\" stroke-width=\"1.7\"{} d=\"", colour,
                 curve.dashed ? " stroke-dasharray=\"5 4\"" : "");
  bool drawing = false;  // a curve has gaps where it is not finite; the frame cuts off the rest
  for (const Point& point : curve.points) {
    if (!std::isfinite(point.y) || (frame.logarithmic && point.y <= 0)) {
      drawing = false;
      continue;
    }
    const double y = std::clamp(frame.vertical(point.y), -10 * height, 10 * height);
    fmt::format_to(out, "{}{:.1f} {:.1f}", drawing ? 'L' : 'M', frame.horizontal(point.x), y);
    drawing = true;
  }
  fmt::format_to(out, "\"/>\n");
}

void draw_contours(Output out, const Panel& panel, const Frame& frame) {
  fmt::format_to(out, "<path fill=\"none\" stroke=\"#bbb\" stroke-width=\"0.8\" d=\"");
  for (const auto& [from, to] : panel.contours) {
    const double x = frame.horizontal(from.x), y = frame.vertical(from.y);
    fmt::format_to(out, "M{:.1f} {:.1f}l{:.1f} {:.1f}", x, y, frame.horizontal(to.x) - x, frame.vertical(to.y) - y);
  }
  fmt::format_to(out, "\"/>\n");
}

struct Box {
  double x, y, width, height;
};

// How much of the curves lies in a box of the picture: points, and three places between each and the next.
std::size_t hidden_by(const Box& box, const Panel& panel, const Frame& frame) {
  std::size_t count = 0;
  for (const Curve& curve : panel.curves) {
    for (std::size_t i = 0; i + 1 < curve.points.size(); ++i) {
      const Point &a = curve.points[i], &b = curve.points[i + 1];
      for (const double t : {0.0, 0.25, 0.5, 0.75}) {
        const double x = frame.horizontal(a.x + t * (b.x - a.x)) - box.x;
        const double y = frame.vertical(a.y + t * (b.y - a.y)) - box.y;
        count += x >= 0 && x <= box.width && y >= 0 && y <= box.height ? 1 : 0;
      }
    }
  }
  return count;
}

// The place for a legend that hides least.
Box best_place(double w, double h, const Panel& panel, const Frame& frame) {
  const double x0 = frame.offset + left + 5, x1 = frame.offset + width - right - w - 5;
  Box best{};
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  for (const double y : {top + 5, height - bottom - h - 5}) {
    for (const double x : {x1, x0, (x0 + x1) / 2}) {
      const Box box{x, y, w, h};
      if (const std::size_t hidden = hidden_by(box, panel, frame); hidden < fewest) {
        fewest = hidden;
        best = box;
      }
    }
  }
  return best;
}

void draw_legend(Output out, const Panel& panel, const Frame& frame) {
  std::size_t rows = 0, letters = 0;
  for (const Curve& curve : panel.curves) {
    rows += curve.name.empty() ? 0 : 1;
    letters = std::max(letters, curve.name.size());
  }
  if (rows == 0) {
    return;
  }
  const double w = 34 + 6.2 * static_cast<double>(letters), h = 8 + 15 * static_cast<double>(rows);
  const Box box = best_place(w, h, panel, frame);
  fmt::format_to(
      out, "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"#fff\" fill-opacity=\"0.85\"/>\n",
      box.x, box.y, box.width, box.height);
  double line = box.y;
  for (std::size_t i = 0; i < panel.curves.size(); ++i) {
    const Curve& curve = panel.curves[i];
    if (!curve.name.empty()) {
      line += 15;
      fmt::format_to(out, "<path stroke=\"{}\" stroke-width=\"2\"{} d=\"M{:.1f} {:.1f}h20\"/>\n",
                     colours[i % colours.size()], curve.dashed ? " stroke-dasharray=\"5 4\"" : "", box.x + 4, line - 4);
      put_text(out, box.x + 29, line, "start", curve.name);
    }
  }
}

void draw_panel(Output out, const Panel& panel, std::size_t number) {
  const double offset = width * static_cast<double>(number);
  const Frame frame{panel.x.value_or(extent(panel, &Point::x)),
                    panel.y.value_or(padded(extent(panel, &Point::y), panel.logarithmic)), panel.logarithmic, offset};
  draw_axes(out, panel, frame);
  fmt::format_to(
      out, "<clipPath id=\"frame{}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/></clipPath>\n",
      number, offset + left, top, width - left - right, height - top - bottom);
  fmt::format_to(out, "<g clip-path=\"url(#frame{})\">\n", number);
  if (!panel.contours.empty()) {
    draw_contours(out, panel, frame);
  }
  for (std::size_t i = 0; i < panel.curves.size(); ++i) {
    draw_curve(out, panel.curves[i], frame, colours[i % colours.size()]);
  }
  fmt::format_to(out, "</g>\n");
  draw_legend(out, panel, frame);
}

// Where a level is crossed between two corners.
Point crossing(const Point& a, double at_a, const Point& b, double at_b, double level) {
  const double t = (level - at_a) / (at_b - at_a);
  return {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
}

}  // namespace

// Every cell is two triangles, in each of which a level is crossed in a straight line or not at all.
std::vector<Segment> contour(const std::vector<std::vector<double>>& values, Range x, Range y, double level) {
  std::vector<Segment> segments;
  const std::size_t rows = values.size(), columns = values.front().size();
  const auto at = [&](std::size_t row, std::size_t column) {
    return Point{x.low + (x.high - x.low) * static_cast<double>(column) / static_cast<double>(columns - 1),
                 y.low + (y.high - y.low) * static_cast<double>(row) / static_cast<double>(rows - 1)};
  };
  const auto cut = [&](const std::array<std::array<std::size_t, 2>, 3>& corners) {
    std::vector<Point> points;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto [r1, c1] = corners[i];
      const auto [r2, c2] = corners[(i + 1) % 3];
      const double a = values[r1][c1], b = values[r2][c2];
      if ((a < level) != (b < level)) {
        points.push_back(crossing(at(r1, c1), a, at(r2, c2), b, level));
      }
    }
    if (points.size() == 2) {
      segments.push_back({points[0], points[1]});
    }
  };
  for (std::size_t row = 0; row + 1 < rows; ++row) {
    for (std::size_t column = 0; column + 1 < columns; ++column) {
      cut({{{row, column}, {row + 1, column}, {row, column + 1}}});
      cut({{{row + 1, column + 1}, {row + 1, column}, {row, column + 1}}});
    }
  }
  return segments;
}

std::string draw(const std::vector<Panel>& panels) {
  std::string result;
  const Output out(result);
  const double total = width * static_cast<double>(panels.size());
  fmt::format_to(out,
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
                 "{1:.0f}\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" "
                 "fill=\"#fff\"/>\n",
                 total, height);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    draw_panel(out, panels[i], i);
  }
  return result + "</svg>\n";
}

void write(const std::filesystem::path& path, const std::vector<Panel>& panels) {
  std::ofstream file(path, std::ios::binary);
  file << draw(panels);
  if (!file.flush()) {
    throw std::runtime_error("figures: cannot write " + path.string());
  }
}

}  // namespace svg
