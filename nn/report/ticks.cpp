#include <algorithm>
#include <cmath>

#include "nn/report/chart.hpp"

namespace xgrad::nn::detail {

namespace {

constexpr double wanted_ticks = 5;

// 1, 2 or 5 times a power of ten, near \p size.
double round_step(double size) {
  const double power = std::pow(10.0, std::floor(std::log10(size)));
  const double digits = size / power;
  return power * (digits < 1.5 ? 1 : digits < 3.5 ? 2 : digits < 7.5 ? 5 : 10);
}

}  // namespace

Ticks linear_ticks(double least, double largest, bool whole) {
  if (!(largest > least)) {
    const double margin = whole ? 1 : std::max(std::abs(least) * 0.1, 1e-9);
    least -= margin;
    largest += margin;
  }
  double step = round_step((largest - least) / wanted_ticks);
  step = whole ? std::max(std::round(step), 1.0) : step;
  Ticks ticks{{}, least, largest};
  if (!whole) {
    ticks.first = std::floor(least / step + 1e-9) * step;
    ticks.last = std::ceil(largest / step - 1e-9) * step;
  }
  const double begin = std::ceil(ticks.first / step - 1e-9);
  const double end = std::floor(ticks.last / step + 1e-9);
  for (double i = begin; i <= end; ++i) {
    ticks.at.push_back(i == 0 ? 0 : i * step);
  }
  return ticks;
}

Ticks logarithmic_ticks(double least, double largest) {
  constexpr double most_ticks = 7;
  if (!(largest > least * (1 + 1e-6))) {
    least /= 2;
    largest *= 2;
  }
  const double decades = std::log10(largest / least);
  const bool is_short = decades <= 2;
  const double every = std::max(std::ceil(decades / most_ticks), 1.0);
  Ticks ticks{{}, 0, 0};
  for (double power = std::floor(std::log10(least)); ticks.last < largest * (1 - 1e-9); power += every) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double at = digit * std::pow(10.0, power);
      if ((digit > 1 && !is_short) || ticks.last >= largest * (1 - 1e-9)) {
        continue;
      }
      if (at <= least * (1 + 1e-9)) {
        ticks.at.clear();
      }
      ticks.at.push_back(at);
      ticks.first = ticks.at.front();
      ticks.last = at;
    }
  }
  return ticks;
}

}  // namespace xgrad::nn::detail
