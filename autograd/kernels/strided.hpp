#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "autograd/array/shape.hpp"

/// \file
/// How kernels that move elements go through two arrays with strides of their own.

namespace xgrad::kernels {

struct Axis {
  std::int64_t size;
  std::int64_t in;   // stride in elements
  std::int64_t out;  // stride in elements
};

/// The axes of a copy, in the order that suits it best: as few as possible, the one along which the output is closest
/// together last, and before it one along which the input is adjacent, if there is any.
class CopyAxes {
 public:
  CopyAxes(const Shape& shape, const Ints& in, const Ints& out) {
    for (std::size_t axis = 0; axis < shape.ndim(); ++axis) {
      if (shape[axis] != 1) {
        axes_[count_++] = {shape[axis], in[axis], out[axis]};
      }
    }
    sort();
    join();
    if (count_ > 2 && column().in != 1) {
      Axis* adjacent = std::find_if(begin(), end() - 1, [](const Axis& axis) { return axis.in == 1; });
      if (adjacent != end() - 1) {
        std::rotate(adjacent, adjacent + 1, end() - 1);
      }
    }
    while (count_ < 2) {
      std::copy_backward(begin(), end(), end() + 1);
      axes_[0] = {1, 0, 0};
      ++count_;
    }
  }

  const Axis& column() const { return axes_[count_ - 1]; }
  const Axis& row() const { return axes_[count_ - 2]; }
  const Axis* begin() const { return axes_; }
  const Axis* outer_end() const { return axes_ + count_ - 2; }

 private:
  Axis* begin() { return axes_; }
  Axis* end() { return axes_ + count_; }

  /// By insertion: std::stable_sort allocates, which takes longer than a small copy.
  void sort() {
    for (std::size_t next = 1; next < count_; ++next) {
      const Axis axis = axes_[next];
      std::size_t place = next;
      for (; place > 0 && std::abs(axes_[place - 1].out) < std::abs(axis.out); --place) {
        axes_[place] = axes_[place - 1];
      }
      axes_[place] = axis;
    }
  }

  void join() {
    std::size_t last = 0;
    for (std::size_t axis = 1; axis < count_; ++axis) {
      const Axis& next = axes_[axis];
      if (axes_[last].in == next.in * next.size && axes_[last].out == next.out * next.size) {
        axes_[last] = {axes_[last].size * next.size, next.in, next.out};
      } else {
        axes_[++last] = next;
      }
    }
    count_ = std::min(count_, last + 1);
  }

  Axis axes_[Shape::max_ndim + 2];
  std::size_t count_ = 0;
};

/// Where the block (row, column) at position \p index of the outer axes begins.
struct Offsets {
  std::int64_t in = 0;
  std::int64_t out = 0;
};

inline Offsets offsets_of(const CopyAxes& axes, std::int64_t index) {
  Offsets offsets;
  for (const Axis* axis = axes.outer_end(); axis-- != axes.begin();) {
    const std::int64_t i = index % axis->size;
    index /= axis->size;
    offsets.in += i * axis->in;
    offsets.out += i * axis->out;
  }
  return offsets;
}

}  // namespace xgrad::kernels
