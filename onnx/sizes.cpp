#include "onnx/sizes.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace xgrad::onnx {

std::optional<Size> common_size(std::int64_t first, std::int64_t second, const BatchSizes& batch) {
  if (first == second) {
    return Size{first, false};
  }
  if (first % batch[0] == 0 && second % batch[1] == 0 && first / batch[0] == second / batch[1]) {
    return Size{first / batch[0], true};
  }
  return std::nullopt;
}

std::optional<Number> common_number(double first, double second, const BatchSizes& batch) {
  const auto sizes = std::array{static_cast<double>(batch[0]), static_cast<double>(batch[1])};
  // Up to the rounding of a float32: numbers of both traces went through the dtype of what they met.
  const auto are_equal = [](double a, double b) {
    return std::fabs(a - b) <= std::numeric_limits<float>::epsilon() * std::fabs(a);
  };
  if (std::bit_cast<std::uint64_t>(first) == std::bit_cast<std::uint64_t>(second)) {
    return Number{first, Number::Kind::constant};
  }
  if (first == 0 || !std::isfinite(first) || !std::isfinite(second)) {
    return std::nullopt;
  }
  if (are_equal(first / sizes[0], second / sizes[1])) {
    return Number{first / sizes[0], Number::Kind::times_batch};
  }
  if (are_equal(first * sizes[0], second * sizes[1])) {
    const double factor = first * sizes[0];
    return Number{are_equal(factor, std::round(factor)) ? std::round(factor) : factor, Number::Kind::per_batch};
  }
  return std::nullopt;
}

std::optional<Size> product(const Size& a, const Size& b) {
  if (a.symbolic && b.symbolic) {
    return std::nullopt;
  }
  return Size{a.factor * b.factor, a.symbolic || b.symbolic};
}

std::size_t symbolic_count(const Sizes& sizes) {
  return static_cast<std::size_t>(std::count_if(sizes.begin(), sizes.end(), [](const Size& s) { return s.symbolic; }));
}

Sizes broadcast_sizes(const Sizes& a, const Sizes& b) {
  const Sizes& longer = a.size() >= b.size() ? a : b;
  const Sizes& shorter = a.size() >= b.size() ? b : a;
  Sizes result = longer;
  const std::size_t offset = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    if (result[offset + i] == Size{1, false}) {
      result[offset + i] = shorter[i];
    }
  }
  return result;
}

}  // namespace xgrad::onnx
