#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "autograd/array/ints.hpp"

/// \file
/// Shapes, axes and NumPy's broadcasting rules.

namespace xgrad {

/// The sizes of a tensor's axes, outermost first; `()` is the shape of a single number.
class Shape : public Ints {
 public:
  using Ints::Ints;
  /// Any list of integers, taken for sizes.
  explicit Shape(const Ints& sizes) : Ints(sizes) {}

  /// Number of elements: the product of the sizes, 1 for `()`. \throws ShapeError when it is 2^63 or more.
  std::int64_t element_count() const;
};

/// The axes an op works on: one axis, several, or (when default-constructed) all of them. Negative axes count from the
/// end. `sum(x)`, `sum(x, -1)`, `sum(x, {0, 2})`.
class Axes {
 public:
  Axes() = default;                                                             ///< all axes
  Axes(std::int64_t axis) : axes_{axis}, all_(false) {}                         ///< one axis
  Axes(int axis) : Axes(static_cast<std::int64_t>(axis)) {}                     ///< one axis
  Axes(std::initializer_list<std::int64_t> axes) : axes_(axes), all_(false) {}  ///< several axes
  /// Several axes, from any list of them.
  explicit Axes(const Ints& axes) : axes_(axes), all_(false) {}

  bool all() const { return all_; }           ///< whether none were named
  const Ints& list() const { return axes_; }  ///< the named ones, as given: perhaps negative, in any order

 private:
  Ints axes_;
  bool all_ = true;
};

/// `axis` counted from the front: -1 becomes ndim - 1.
/// \throws ValueError `[op]` when \p axis is not in [-ndim, ndim).
std::size_t normalize_axis(std::string_view op, std::int64_t axis, std::size_t ndim);

/// The axes counted from the front, ascending.
/// \throws ValueError `[op]` for an axis out of range or given twice.
Ints normalize_axes(std::string_view op, const Axes& axes, std::size_t ndim);

/// The axes that a reduction works on, counted from the front, ascending. A tensor without axes may be reduced along axis
/// 0 or -1 as well: as in NumPy, there is nothing to do.
/// \throws ValueError `[op]` for an axis out of range or given twice.
Ints reduced_axes(std::string_view op, const Axes& axes, std::size_t ndim);

/// The shape that two shapes broadcast to by NumPy's rule: aligned at the last axis, sizes are equal, or one is 1.
/// \throws ShapeError `[op]` naming both shapes and the axis that does not fit.
Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b);

/// Bytes that elements of \p element_bytes take. Where this does not throw, no offset of an element wraps.
/// \throws ShapeError when a size is negative, or when it is 2^63 or more.
std::size_t byte_count(const Shape& shape, std::size_t element_bytes);

/// Checks a shape that the user gave. \throws ShapeError `[op]` when a size is negative.
void require_sizes(std::string_view op, const Shape& shape);

/// Whether a tensor of shape \p from broadcasts to exactly \p to.
bool broadcasts_to(const Shape& from, const Shape& to);

/// Row-major strides, counted in elements.
Ints row_major_strides(const Shape& shape);

/// Strides, counted in elements, that read a row-major array of shape \p from as if it had shape \p to: axes that are
/// repeated get stride 0. Requires broadcasts_to(from, to).
Ints broadcast_strides(const Shape& from, const Shape& to);

}  // namespace xgrad
