#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "autograd/array/shape.hpp"
#include "autograd/kernels/kernels.hpp"

/// \file
/// What the tests of the kernels share: reference scalars, random data, elements by index.

namespace xgrad::naive {

/// The error of \p result in units of the last place of \p exact. Zeros of either sign are equal, NaN equals NaN.
template <class T>
double ulp_error(T result, long double exact) {
  const T rounded = static_cast<T>(exact);
  if (std::isnan(rounded) || std::isnan(result)) {
    return std::isnan(rounded) && std::isnan(result) ? 0 : std::numeric_limits<double>::infinity();
  }
  if (result == rounded) {
    return 0;
  }
  if (std::isinf(rounded) || std::isinf(result)) {
    return std::numeric_limits<double>::infinity();
  }
  const T size = std::max(std::abs(rounded), std::numeric_limits<T>::min());
  const long double unit = static_cast<long double>(std::nextafter(size, std::numeric_limits<T>::infinity())) - size;
  return static_cast<double>(std::abs(static_cast<long double>(result) - exact) / unit);
}

/// Reproducible numbers; floating ones in [low, high), others whole.
template <class T>
std::vector<T> random_elements(std::size_t count, double low, double high, unsigned seed = 1) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> number(low, high);
  std::vector<T> elements(count);
  for (auto& each : elements) {
    each = static_cast<T>(number(engine));
  }
  return elements;
}

/// The index along each axis of element \p flat of a row-major array.
inline std::vector<std::int64_t> index_of(const Shape& shape, std::int64_t flat) {
  std::vector<std::int64_t> index(shape.ndim());
  for (std::size_t axis = shape.ndim(); axis-- > 0;) {
    index[axis] = flat % shape[axis];
    flat /= shape[axis];
  }
  return index;
}

inline std::int64_t offset_of(const std::vector<std::int64_t>& index, const Ints& strides) {
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < index.size(); ++axis) {
    offset += index[axis] * strides[axis];
  }
  return offset;
}

}  // namespace xgrad::naive
