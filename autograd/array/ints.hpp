#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <string>

/// \file
/// Short lists of integers.

namespace xgrad {

/// A number for each axis of a tensor, or for some: strides, the axes of a permutation, positions, widths.
///
/// Up to eight numbers, stored in place, so that making a list never allocates.
class Ints {
 public:
  static constexpr std::size_t max_ndim = 8;  ///< the most axes a tensor can have

  Ints() = default;  ///< no numbers
  /// \throws ShapeError for more than eight axes.
  Ints(std::initializer_list<std::int64_t> numbers);
  /// Copies any range of integers, such as the shape of an xtensor container.
  /// \throws ShapeError for more than eight axes.
  template <std::input_iterator It>
  Ints(It first, It last) {
    for (; first != last; ++first) {
      push_back(static_cast<std::int64_t>(*first));
    }
  }

  std::size_t ndim() const { return count_; }                                 ///< how many numbers there are
  bool empty() const { return count_ == 0; }                                  ///< whether there are none
  std::int64_t operator[](std::size_t axis) const { return numbers_[axis]; }  ///< the number of an axis, not checked
  std::int64_t& operator[](std::size_t axis) { return numbers_[axis]; }       ///< the number of an axis, not checked
  std::int64_t back() const { return numbers_[count_ - 1]; }                  ///< that of the last axis; not for `()`

  const std::int64_t* data() const { return numbers_.data(); }          ///< ndim() numbers, one after the other
  const std::int64_t* begin() const { return numbers_.data(); }         ///< the outermost axis
  const std::int64_t* end() const { return numbers_.data() + count_; }  ///< after the innermost axis
  std::int64_t* begin() { return numbers_.data(); }                     ///< the outermost axis
  std::int64_t* end() { return numbers_.data() + count_; }              ///< after the innermost axis

  /// \throws ShapeError when there are eight axes already.
  void push_back(std::int64_t number) {
    if (count_ == max_ndim) {
      raise_too_many_axes();
    }
    numbers_[count_++] = number;
  }
  /// Puts a number before position \p axis.
  void insert(std::size_t axis, std::int64_t number);
  /// Removes the number at position \p axis.
  void erase(std::size_t axis);

  /// As many numbers, the same ones: nothing broadcasts here.
  friend bool operator==(const Ints& a, const Ints& b) {
    if (a.count_ != b.count_) {
      return false;
    }
    for (std::size_t i = 0; i < a.count_; ++i) {
      if (a.numbers_[i] != b.numbers_[i]) {
        return false;
      }
    }
    return true;
  }

 private:
  [[noreturn]] static void raise_too_many_axes();

  std::array<std::int64_t, max_ndim> numbers_{};
  std::size_t count_ = 0;
};

/// `(64, 784)`, `(3,)`, `()`.
std::string to_string(const Ints& numbers);
/// The same, into a stream.
std::ostream& operator<<(std::ostream& out, const Ints& numbers);

}  // namespace xgrad
