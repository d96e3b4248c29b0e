#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// \file
/// Diagrams as SVG: curves over two axes, panels side by side.

namespace svg {

/// A place in a diagram, in its own units.
struct Point {
  double x, y;
};

/// A curve with a name in the legend, or without one when the name is empty.
struct Curve {
  std::string name;
  std::vector<Point> points;
  bool dashed = false;
};

/// A piece of a contour line.
using Segment = std::array<Point, 2>;

/// What an axis covers.
struct Range {
  double low, high;
};

/// One diagram.
struct Panel {
  std::string title, x_title, y_title;
  std::vector<Curve> curves;
  std::vector<Segment> contours = {};  ///< thin and grey, behind the curves
  std::optional<Range> x = {};         ///< what is left out follows from the curves
  std::optional<Range> y = {};         ///< as x
  bool logarithmic = false;            ///< the vertical axis
};

/// Where the values at the points of a regular grid, values[row][column] with rows along y, cross a level.
std::vector<Segment> contour(const std::vector<std::vector<double>>& values, Range x, Range y, double level);

/// The panels side by side as one picture.
std::string draw(const std::vector<Panel>& panels);

/// Writes what draw() gives. \throws std::runtime_error when it cannot.
void write(const std::filesystem::path& path, const std::vector<Panel>& panels);

}  // namespace svg
