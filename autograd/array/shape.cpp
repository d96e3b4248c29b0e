#include "autograd/array/shape.hpp"

#include <algorithm>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

std::int64_t Shape::element_count() const {
  std::int64_t count = 1;
  bool empty = false;
  bool overflows = false;
  for (std::int64_t size : *this) {
    overflows = __builtin_mul_overflow(count, size, &count) || overflows;
    empty = empty || size == 0;
  }
  if (empty) {
    return 0;
  }
  if (overflows) {
    raise<ShapeError>(
        "shape", phrase("a tensor of shape {} would have more than 2^63 elements; make it smaller", to_string(*this)));
  }
  return count;
}

std::size_t byte_count(const Shape& shape, std::size_t element_bytes) {
  auto bytes = static_cast<std::int64_t>(element_bytes);
  bool empty = false;
  bool overflows = false;
  for (const std::int64_t size : shape) {
    if (size < 0) {
      require_sizes("shape", shape);
    }
    empty = empty || size == 0;
    overflows = __builtin_mul_overflow(bytes, size, &bytes) || overflows;
  }
  if (overflows && !empty) {
    raise<ShapeError>("shape",
                      phrase("a tensor of shape {} would take 2^63 bytes or more, at {} bytes an element; make "
                             "it smaller",
                             to_string(shape), element_bytes));
  }
  return empty ? 0 : static_cast<std::size_t>(bytes);
}

std::size_t normalize_axis(std::string_view op, std::int64_t axis, std::size_t ndim) {
  const auto count = static_cast<std::int64_t>(ndim);
  if (axis < -count || axis >= count) {
    raise<ValueError>(op, count == 0 ? phrase("axis {} of a tensor of shape (), which has no axes", axis)
                                     : phrase("axis {} does not exist in a tensor with {} axes; give one in [{}, {}]",
                                              axis, count, -count, count - 1));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + count : axis);
}

Ints normalize_axes(std::string_view op, const Axes& axes, std::size_t ndim) {
  std::uint64_t named = 0;  // a bit per axis
  for (const std::int64_t axis : axes.list()) {
    const std::size_t position = normalize_axis(op, axis, ndim);
    const std::uint64_t bit = std::uint64_t{1} << position;
    if ((named & bit) != 0) {
      raise<ValueError>(op, phrase("axis {} is given twice in {}", position, to_string(axes.list())));
    }
    named |= bit;
  }
  Ints result;
  for (std::size_t i = 0; i < ndim; ++i) {
    if (axes.all() || (named >> i & 1) != 0) {
      result.push_back(static_cast<std::int64_t>(i));
    }
  }
  return result;
}

Ints reduced_axes(std::string_view op, const Axes& axes, std::size_t ndim) {
  if (ndim == 0) {
    for (const std::int64_t axis : axes.list()) {
      if (axis != 0 && axis != -1) {
        normalize_axis(op, axis, ndim);  // throws
      }
    }
    normalize_axes(op, axes, 1);  // none twice
    return {};
  }
  return normalize_axes(op, axes, ndim);
}

Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b) {
  if (a == b) {
    return a;
  }
  Shape result = a.ndim() >= b.ndim() ? a : b;
  const Shape& shorter = a.ndim() >= b.ndim() ? b : a;
  const std::size_t offset = result.ndim() - shorter.ndim();
  for (std::size_t i = 0; i < shorter.ndim(); ++i) {
    std::int64_t& size = result[offset + i];
    if (size == 1) {
      size = shorter[i];
    } else if (shorter[i] != 1 && shorter[i] != size) {
      const auto from_end = static_cast<std::int64_t>(offset + i) - static_cast<std::int64_t>(result.ndim());
      raise<ShapeError>(op,
                        phrase("shapes {} and {} do not broadcast: axis {} has {} and {}; sizes must be equal "
                               "or 1, aligned at the last axis",
                               to_string(a), to_string(b), from_end, a[a.ndim() - static_cast<std::size_t>(-from_end)],
                               b[b.ndim() - static_cast<std::size_t>(-from_end)]));
    }
  }
  return result;
}

void require_sizes(std::string_view op, const Shape& shape) {
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; })) {
    raise<ShapeError>(op, phrase("sizes are 0 or more, got {}", to_string(shape)));
  }
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  if (from.ndim() > to.ndim()) {
    return false;
  }
  const std::size_t offset = to.ndim() - from.ndim();
  for (std::size_t i = 0; i < from.ndim(); ++i) {
    if (from[i] != 1 && from[i] != to[offset + i]) {
      return false;
    }
  }
  return true;
}

Ints row_major_strides(const Shape& shape) {
  Ints strides = shape;
  std::int64_t stride = 1;
  for (std::size_t i = shape.ndim(); i-- > 0;) {
    strides[i] = stride;
    static_cast<void>(__builtin_mul_overflow(stride, shape[i], &stride));  // only of what has no elements
  }
  return strides;
}

Ints broadcast_strides(const Shape& from, const Shape& to) {
  const Ints own = row_major_strides(from);
  const std::size_t offset = to.ndim() - from.ndim();
  Ints strides = to;
  for (std::size_t i = 0; i < to.ndim(); ++i) {
    strides[i] = i < offset || from[i - offset] == 1 ? 0 : own[i - offset];
  }
  return strides;
}

}  // namespace xgrad
