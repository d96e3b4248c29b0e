#pragma once

#include <cstdint>

#include "autograd/array/shape.hpp"

/// \file
/// A run of adjacent axes, as reductions and scans see an array.

namespace xgrad {

/// Adjacent axes [first, last), and the array seen as (outer, n, inner) around them.
struct AxisRun {
  std::int64_t first = 0;
  std::int64_t last = 0;

  Shape without(const Shape& shape) const {
    Shape result = shape;
    for (std::int64_t i = first; i < last; ++i) {
      result.erase(static_cast<std::size_t>(first));
    }
    return result;
  }

  Shape with_ones(const Shape& shape) const {
    Shape result = shape;
    for (std::int64_t i = first; i < last; ++i) {
      result[static_cast<std::size_t>(i)] = 1;
    }
    return result;
  }

  friend bool operator==(const AxisRun&, const AxisRun&) = default;

  /// The same axes behind an axis of samples.
  AxisRun behind_samples() const { return {first + 1, last + 1}; }

  Ints list() const {
    Ints result;
    for (std::int64_t axis = first; axis < last; ++axis) {
      result.push_back(axis);
    }
    return result;
  }

  struct Extent {
    std::int64_t outer, n, inner;
  };
  Extent extent(const Shape& shape) const {
    Extent result{1, 1, 1};
    for (std::size_t i = 0; i < shape.ndim(); ++i) {
      const auto axis = static_cast<std::int64_t>(i);
      (axis < first ? result.outer : axis < last ? result.n : result.inner) *= shape[i];
    }
    return result;
  }
};

/// To those who visit attributes it is the list of its axes.
inline Ints attribute_value(const AxisRun& axes) { return axes.list(); }

}  // namespace xgrad
