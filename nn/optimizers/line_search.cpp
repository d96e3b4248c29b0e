#include "nn/optimizers/line_search.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace xgrad::nn::detail {

namespace {

constexpr double c1 = 1e-4;
constexpr double c2 = 0.9;
constexpr int max_trials = 25;

// Where the cubic through two points with their slopes has its minimum, limited to [low, high]; the middle of these
// where it has none (Nocedal and Wright, 2006, equation 3.59).
double interpolate(LinePoint a, LinePoint b, double low, double high) {
  if (a.step > b.step) {
    std::swap(a, b);
  }
  const double d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step);
  const double d2 = std::sqrt(d1 * d1 - a.slope * b.slope);
  const double minimum = b.step - (b.step - a.step) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
  return std::isfinite(minimum) ? std::clamp(minimum, low, high) : (low + high) / 2;
}

class StrongWolfe {
 public:
  StrongWolfe(const std::function<LinePoint(double)>& evaluate, const LinePoint& start, double width)
      : evaluate_(evaluate), start_(start), width_(width) {}

  // Goes on in growing steps until a minimum lies between the last two.
  LinePoint bracket(double first_step) {
    LinePoint previous = start_;
    LinePoint point = evaluate_(first_step);
    for (; trials_ < max_trials; ++trials_) {
      if (!decreases(point) || (trials_ > 1 && point.value >= previous.value)) {
        return zoom({previous, point});
      }
      if (is_flat(point)) {
        return point;
      }
      if (point.slope >= 0) {
        return zoom({previous, point});
      }
      const double least = point.step + 0.01 * (point.step - previous.step);
      const double next = interpolate(previous, point, least, 10 * point.step);
      previous = point;
      point = evaluate_(next);
    }
    return start_.value <= point.value ? start_ : point;
  }

 private:
  bool decreases(const LinePoint& point) const { return point.value <= start_.value + c1 * point.step * start_.slope; }
  bool is_flat(const LinePoint& point) const { return std::abs(point.slope) <= -c2 * start_.slope; }

  // Narrows the interval between two points that holds a minimum.
  LinePoint zoom(std::array<LinePoint, 2> ends) {
    std::size_t low = ends[0].value <= ends[1].value ? 0 : 1;
    bool stalled = false;
    for (; trials_ < max_trials && std::abs(ends[1].step - ends[0].step) >= width_; ++trials_) {
      const LinePoint point = evaluate_(trial(ends, stalled));
      const std::size_t high = 1 - low;
      if (!decreases(point) || point.value >= ends[low].value) {
        ends[high] = point;
        low = ends[0].value <= ends[1].value ? 0 : 1;
        continue;
      }
      if (is_flat(point)) {
        return point;
      }
      if (point.slope * (ends[high].step - ends[low].step) >= 0) {
        ends[high] = ends[low];
      }
      ends[low] = point;
    }
    return ends[low];
  }

  // The minimum of the cubic, but not twice in a row next to an end.
  static double trial(const std::array<LinePoint, 2>& ends, bool& stalled) {
    const auto [low, high] = std::minmax(ends[0].step, ends[1].step);
    const double step = interpolate(ends[0], ends[1], low, high);
    const double margin = 0.1 * (high - low);
    if (std::min(high - step, step - low) >= margin) {
      stalled = false;
      return step;
    }
    if (!stalled && step < high && step > low) {
      stalled = true;
      return step;
    }
    stalled = false;
    return std::abs(step - high) < std::abs(step - low) ? high - margin : low + margin;
  }

  const std::function<LinePoint(double)>& evaluate_;
  const LinePoint& start_;
  double width_;
  int trials_ = 0;
};

}  // namespace

LinePoint search_strong_wolfe(const std::function<LinePoint(double)>& evaluate, const LinePoint& start,
                              double first_step, double width) {
  return StrongWolfe(evaluate, start, width).bracket(first_step);
}

}  // namespace xgrad::nn::detail
