#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

/// \file
/// Shapes, axes and NumPy's broadcasting rules.

namespace xgrad {

/// The sizes of a tensor's axes, outermost first; `()` is the shape of a single number.
///
/// Up to eight axes, stored in place, so that making one never allocates. The same type lists strides and permutations.
class Shape {
 public:
  static constexpr std::size_t max_ndim = 8;  ///< the most axes a tensor can have

  Shape() = default;
  /// \throws ShapeError for more than eight axes.
  Shape(std::initializer_list<std::int64_t> sizes);
  /// Copies any range of integers, such as the shape of an xtensor container.
  /// \throws ShapeError for more than eight axes.
  template <std::input_iterator It>
  Shape(It first, It last) {
    for (; first != last; ++first) {
      push_back(static_cast<std::int64_t>(*first));
    }
  }

  std::size_t ndim() const { return ndim_; }                                ///< number of axes
  bool empty() const { return ndim_ == 0; }                                 ///< true for the shape `()`
  std::int64_t operator[](std::size_t axis) const { return sizes_[axis]; }  ///< size of an axis, not checked
  std::int64_t& operator[](std::size_t axis) { return sizes_[axis]; }       ///< size of an axis, not checked
  std::int64_t back() const { return sizes_[ndim_ - 1]; }                   ///< size of the last axis; not for `()`

  const std::int64_t* data() const { return sizes_.data(); }         ///< ndim() sizes, one after the other
  const std::int64_t* begin() const { return sizes_.data(); }        ///< the outermost axis
  const std::int64_t* end() const { return sizes_.data() + ndim_; }  ///< after the innermost axis
  std::int64_t* begin() { return sizes_.data(); }                    ///< the outermost axis
  std::int64_t* end() { return sizes_.data() + ndim_; }              ///< after the innermost axis

  /// Number of elements: the product of the sizes, 1 for `()`. \throws ShapeError when it is 2^63 or more.
  std::int64_t element_count() const;

  /// \throws ShapeError when there are eight axes already.
  void push_back(std::int64_t size) {
    if (ndim_ == max_ndim) {
      raise_too_many_axes();
    }
    sizes_[ndim_++] = size;
  }
  /// Puts an axis of the given size before position \p axis.
  void insert(std::size_t axis, std::int64_t size);
  /// Removes the axis at position \p axis.
  void erase(std::size_t axis);

  /// Same number of axes, same sizes: nothing broadcasts here.
  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.ndim_ != b.ndim_) {
      return false;
    }
    for (std::size_t i = 0; i < a.ndim_; ++i) {
      if (a.sizes_[i] != b.sizes_[i]) {
        return false;
      }
    }
    return true;
  }

 private:
  [[noreturn]] static void raise_too_many_axes();

  std::array<std::int64_t, max_ndim> sizes_{};
  std::size_t ndim_ = 0;
};

/// `(64, 784)`, `(3,)`, `()`.
std::string to_string(const Shape& shape);
/// The same, into a stream.
std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// The axes an op works on: one axis, several, or (when default-constructed) all of them. Negative axes count from the
/// end. `sum(x)`, `sum(x, -1)`, `sum(x, {0, 2})`.
class Axes {
 public:
  Axes() = default;                                                             ///< all axes
  Axes(std::int64_t axis) : axes_{axis}, all_(false) {}                         ///< one axis
  Axes(int axis) : Axes(static_cast<std::int64_t>(axis)) {}                     ///< one axis
  Axes(std::initializer_list<std::int64_t> axes) : axes_(axes), all_(false) {}  ///< several axes
  /// Several axes, from any list of them.
  explicit Axes(const Shape& axes) : axes_(axes), all_(false) {}

  bool all() const { return all_; }            ///< whether none were named
  const Shape& list() const { return axes_; }  ///< the named ones, as given: perhaps negative, in any order

 private:
  Shape axes_;
  bool all_ = true;
};

/// `axis` counted from the front: -1 becomes ndim - 1.
/// \throws ValueError `[op]` when \p axis is not in [-ndim, ndim).
std::size_t normalize_axis(std::string_view op, std::int64_t axis, std::size_t ndim);

/// The axes counted from the front, ascending.
/// \throws ValueError `[op]` for an axis out of range or given twice.
Shape normalize_axes(std::string_view op, const Axes& axes, std::size_t ndim);

/// The shape that two shapes broadcast to by NumPy's rule: aligned at the last axis, sizes are equal, or one is 1.
/// \throws ShapeError `[op]` naming both shapes and the axis that does not fit.
Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b);

/// Checks a shape that the user gave. \throws ShapeError `[op]` when a size is negative.
void require_sizes(std::string_view op, const Shape& shape);

/// Whether a tensor of shape \p from broadcasts to exactly \p to.
bool broadcasts_to(const Shape& from, const Shape& to);

/// Row-major strides, counted in elements.
Shape row_major_strides(const Shape& shape);

/// Strides, counted in elements, that read a row-major array of shape \p from as if it had shape \p to: axes that are
/// repeated get stride 0. Requires broadcasts_to(from, to).
Shape broadcast_strides(const Shape& from, const Shape& to);

}  // namespace xgrad
