#include <algorithm>
#include <cstdint>

#include "autograd/ops/composed.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Padding: what is joined to both ends of each axis.

namespace xgrad {

namespace {

struct Edge {
  Tensor front, back;
};

void require_one_per_axis(std::string_view op, std::string_view what, const Ints& given, const Shape& shape) {
  if (given.ndim() != shape.ndim()) {
    raise<ShapeError>(op, phrase("{} {} for a tensor of shape {}; give one number per axis", what, to_string(given),
                                 to_string(shape)));
  }
}

/// Calls edges(x, axis, before, after) for one axis after another, which gives what is joined to both its ends.
template <class Edges>
Tensor padded(const Operand& x, const Ints& before, const Ints& after, const Edges& edges) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    Tensor result = x.tensor();
    require_one_per_axis("pad", "before", before, result.shape());
    require_one_per_axis("pad", "after", after, result.shape());
    for (std::size_t axis = 0; axis < before.ndim(); ++axis) {
      std::int64_t size = result.shape()[axis];
      if (before[axis] < 0 || after[axis] < 0 || __builtin_add_overflow(size, before[axis], &size) ||
          __builtin_add_overflow(size, after[axis], &size)) {
        raise<ValueError>("pad", phrase("widths are 0 or more, and sizes less than 2^63; got {} and {} for shape {}",
                                        to_string(before), to_string(after), to_string(result.shape())));
      }
      const Edge edge = edges(result, axis, before[axis], after[axis]);
      if (size > result.shape()[axis]) {
        Tensors parts{result};
        if (before[axis] > 0) {
          parts.insert(parts.begin(), edge.front);
        }
        if (after[axis] > 0) {
          parts.push_back(edge.back);
        }
        result = concatenate(parts, static_cast<std::int64_t>(axis));
      }
    }
    return result;
  });
}

/// \p fill gives a tensor of a shape and dtype, filled with the value.
template <class Fill>
Tensor padded_with(const Operand& x, const Ints& before, const Ints& after, const Fill& fill) {
  return padded(x, before, after,
                [&](const Tensor& input, std::size_t axis, std::int64_t front, std::int64_t back) -> Edge {
                  Shape in_front = input.shape();
                  Shape behind = input.shape();
                  in_front[axis] = front;
                  behind[axis] = back;
                  return {fill(in_front, input.dtype()), fill(behind, input.dtype())};
                });
}

void require_pad_value(double value, DType dtype) {
  if (!fits(value, dtype)) {
    raise<DTypeError>("pad", phrase("{} cannot hold the value {}; cast the tensor first", to_string(dtype), value));
  }
}

}  // namespace

Tensor pad(const Operand& x, const Ints& before, const Ints& after, double value) {
  return padded_with(x, before, after, [value](const Shape& shape, DType dtype) {
    require_pad_value(value, dtype);
    return full(shape, value, dtype);
  });
}

Tensor detail::pad_with_integer(const Operand& x, const Ints& before, const Ints& after, std::int64_t value) {
  return padded_with(x, before, after, [value](const Shape& shape, DType dtype) {
    require_pad_value(dtype == DType::int64 ? 0 : static_cast<double>(value), dtype);
    return full_of_integer(shape, value, dtype, Source::current());
  });
}

namespace {

// Elements of an axis of size n, at least 1, at positions first, first + 1, ... before last, beyond its ends.
Tensor beyond(PadMode mode, const Tensor& x, std::size_t axis, std::int64_t first, std::int64_t last) {
  const std::int64_t n = x.shape()[axis];
  if (mode == PadMode::edge || n == 1) {
    const std::int64_t nearest = first < 0 ? 0 : n - 1;
    Shape wide = x.shape();
    wide[axis] = last - first;
    return broadcast_to(on_axis(x, axis, range(nearest, nearest + 1)), wide);
  }
  const Tensor positions = arange(static_cast<double>(first), static_cast<double>(last), 1, DType::int64);
  if (mode == PadMode::wrap) {
    return take(x, remainder(positions, n), static_cast<std::int64_t>(axis));
  }
  const std::int64_t period = 2 * (n - 1);  // there and back, without the ends twice
  const Tensor there = remainder(positions, period);
  return take(x, minimum(there, period - there), static_cast<std::int64_t>(axis));
}

}  // namespace

Tensor pad(const Operand& x, const Ints& before, const Ints& after, PadMode mode) {
  return padded(x, before, after, [mode](const Tensor& input, std::size_t axis, std::int64_t front, std::int64_t back) {
    const std::int64_t n = input.shape()[axis];
    if (n == 0 && front + back > 0) {
      raise<ShapeError>("pad", phrase("axis {} of shape {} has no elements to be widened by; pad it with a value", axis,
                                      to_string(input.shape())));
    }
    return n == 0 ? Edge{} : Edge{beyond(mode, input, axis, -front, 0), beyond(mode, input, axis, n, n + back)};
  });
}

}  // namespace xgrad
