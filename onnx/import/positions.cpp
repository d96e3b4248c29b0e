#include "onnx/import/positions.hpp"

#include <algorithm>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::onnx::loading {

namespace {

/// Positions from the front, and the size of the axis plus more than there can be for those outside of it.
Tensor checked_positions(const Tensor& indices, std::int64_t size, std::int64_t outside) {
  const Tensor from_front = where(indices < 0, indices + size, indices);
  return where(logical_and(from_front >= 0, from_front < size), from_front, outside);
}

/// 0, 1, ... in the shape of the first axes of indices, with axes of size 1 behind them up to \p ndim.
Tensor batch_numbers(const Shape& indices, std::int64_t batch_axes, std::size_t ndim) {
  Shape shape(indices.begin(), indices.begin() + batch_axes);
  const std::int64_t count = shape.element_count();
  while (shape.ndim() < ndim) {
    shape.push_back(1);
  }
  return reshape(arange(0, static_cast<double>(count), 1, DType::int64), shape);
}

[[noreturn]] void raise_misfit(const Call& call, const Shape& shape, const Shape& indices) {
  raise<ShapeError>(call.node().type, phrase("indices of shape {} do not fit a tensor of shape {}", to_string(indices),
                                             to_string(shape)));
}

}  // namespace

NamedPositions positions_of(const Call& call, const Shape& shape, const Tensor& indices, std::int64_t batch_axes) {
  const auto ndim = static_cast<std::int64_t>(shape.ndim());
  const auto indices_ndim = static_cast<std::int64_t>(indices.ndim());
  if (batch_axes < 0 || batch_axes >= std::min(ndim, indices_ndim) || indices.shape().back() > ndim - batch_axes ||
      !std::equal(shape.begin(), shape.begin() + batch_axes, indices.shape().begin())) {
    raise_misfit(call, shape, indices.shape());
  }
  const std::int64_t named = indices.shape().back();
  const std::int64_t total = Shape(shape.begin(), shape.begin() + batch_axes + named).element_count();
  const std::size_t list_ndim = indices.ndim() - 1;
  Tensor positions = batch_axes > 0 ? batch_numbers(indices.shape(), batch_axes, list_ndim) : Tensor(std::int64_t{0});
  const Tensor list = cast(indices, DType::int64);
  for (std::int64_t k = 0; k < named; ++k) {
    const std::int64_t size = shape[static_cast<std::size_t>(batch_axes + k)];
    // Outside of its axis a position must not become one inside of another: it goes behind all of them.
    const Tensor place = checked_positions(take(list, k, -1), size, total);
    positions = minimum(positions * size + place, total);
  }
  Shape list_shape(indices.shape().begin(), indices.shape().end() - 1);
  positions = broadcast_to(positions, list_shape);
  NamedPositions result{Shape{total}, positions, list_shape};
  for (auto size = shape.begin() + batch_axes + named; size != shape.end(); ++size) {
    result.rows.push_back(*size);
    result.picked.push_back(*size);
  }
  return result;
}

Tensor cut_to(const Call& call, const Tensor& x, const Shape& shape, std::int64_t axis) {
  if (shape.ndim() != x.ndim()) {
    raise_misfit(call, x.shape(), shape);
  }
  std::vector<Slice> slices;
  bool cuts = false;
  for (std::size_t i = 0; i < shape.ndim(); ++i) {
    const bool along = static_cast<std::int64_t>(i) == axis;
    if (!along && shape[i] > x.shape()[i]) {
      raise_misfit(call, x.shape(), shape);
    }
    cuts = cuts || (!along && shape[i] < x.shape()[i]);
    slices.push_back(along ? all() : range(0, shape[i]));
  }
  return cuts ? slice(x, slices) : x;
}

}  // namespace xgrad::onnx::loading
