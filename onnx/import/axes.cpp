#include "onnx/import/axes.hpp"

#include "autograd/ops/ops.hpp"

namespace xgrad::onnx::loading {

Ints all_axes(std::size_t ndim) {
  Ints axes;
  for (std::size_t axis = 0; axis < ndim; ++axis) {
    axes.push_back(static_cast<std::int64_t>(axis));
  }
  return axes;
}

std::int64_t checked_axis(const Call& call, std::int64_t axis, std::size_t ndim) {
  if (ndim == 0 && (axis == 0 || axis == -1)) {
    return 0;
  }
  return static_cast<std::int64_t>(normalize_axis(call.node().type, axis, ndim));
}

Ints checked_axes(const Call& call, std::span<const std::int64_t> axes, std::size_t ndim) {
  if (ndim == 0) {
    for (const std::int64_t axis : axes) {
      checked_axis(call, axis, ndim);
    }
    return {};
  }
  return normalize_axes(call.node().type, Axes(as_ints(axes)), ndim);
}

Ints as_ints(std::span<const std::int64_t> list) { return Ints(list.begin(), list.end()); }

Shape as_shape(std::span<const std::int64_t> list) { return Shape(list.begin(), list.end()); }

Tensor as_matrix(const Tensor& x, std::int64_t axis) {
  const auto middle = x.shape().begin() + axis;
  const std::int64_t rows = Shape(x.shape().begin(), middle).element_count();
  const std::int64_t columns = Shape(middle, x.shape().end()).element_count();
  return reshape(x, {rows, columns});
}

}  // namespace xgrad::onnx::loading
