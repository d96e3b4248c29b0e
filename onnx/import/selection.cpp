#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "autograd/ops/eager.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/import/axes.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Operators that pick elements by indices, or by what they are.

namespace xgrad::onnx::loading {

namespace {

Tensors gather(const Call& call) {
  const Tensor& x = call[0];
  return {take(x, call[1], checked_axis(call, call.integer("axis", 0), x.ndim()))};
}

[[noreturn]] void raise_misfit(const Call& call, const Shape& shape, const Shape& indices) {
  raise<ShapeError>(call.node().type, phrase("indices of shape {} do not fit a tensor of shape {}", to_string(indices),
                                             to_string(shape)));
}

/// The part of \p x that indices of shape \p shape can name along \p axis: all positions of it, and of the others those
/// that the indices have. \throws ShapeError when they have more of them than x.
Tensor cut_to_indices(const Call& call, const Tensor& x, const Shape& shape, std::int64_t axis) {
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

Tensors gather_elements(const Call& call) {
  const Tensor& x = call[0];
  const std::int64_t axis = checked_axis(call, call.integer("axis", 0), x.ndim());
  return {take_along_axis(cut_to_indices(call, x, call[1].shape(), axis), call[1], axis)};
}

/// 0, 1, ... for all that the first \p axes of \p indices name, beside the position that they have.
Tensor with_batch_numbers(const Tensor& indices, std::int64_t axes) {
  Shape shape(Ints(all_axes(indices.ndim())));
  for (std::size_t i = 0; i < shape.ndim(); ++i) {
    shape[i] = static_cast<std::int64_t>(i) < axes ? indices.shape()[i] : 1;
  }
  const Tensor numbers = reshape(arange(0, static_cast<double>(shape.element_count()), 1, DType::int64), shape);
  Shape beside = indices.shape();
  beside[indices.ndim() - 1] = 1;
  return concatenate({broadcast_to(numbers, beside), cast(indices, DType::int64)}, -1);
}

/// Axes in front that pair up, then those of the indices, then those of x that they do not name. The axes that pair up are
/// joined into one of x, on which the indices have their own number.
Tensors gather_nd(const Call& call) {
  const Tensor& x = call[0];
  const Tensor& indices = call[1];
  const std::int64_t batch = call.integer("batch_dims", 0);
  if (batch < 0 || batch >= static_cast<std::int64_t>(std::min(x.ndim(), indices.ndim())) ||
      !std::equal(x.shape().begin(), x.shape().begin() + batch, indices.shape().begin())) {
    raise_misfit(call, x.shape(), indices.shape());
  }
  if (batch == 0) {
    return {xgrad::gather_nd(x, indices)};
  }
  Shape joined = {Shape(x.shape().begin(), x.shape().begin() + batch).element_count()};
  for (auto size = x.shape().begin() + batch; size != x.shape().end(); ++size) {
    joined.push_back(*size);
  }
  return {xgrad::gather_nd(reshape(x, joined), with_batch_numbers(indices, batch))};
}

/// values[1] where the new axis has the index, else values[0]; an index outside of the axis is nowhere.
Tensors one_hot_of(const Call& call) {
  const std::int64_t depth = static_cast<std::int64_t>(call.number(1));
  const Tensor& values = call[2];
  if (depth < 1 || values.shape() != Shape{2}) {
    call.refuse(
        phrase("the depth is 1 or more and the values are two, got {} and {}", depth, to_string(values.shape())));
  }
  const Tensor indices = cast(call[0], DType::int64);
  const std::int64_t axis = checked_axis(call, call.integer("axis", -1), indices.ndim() + 1);
  Shape places(Ints(all_axes(indices.ndim() + 1)));
  for (std::int64_t& size : places) {
    size = 1;
  }
  places[static_cast<std::size_t>(axis)] = depth;
  const Tensor positions = reshape(arange(0, static_cast<double>(depth), 1, DType::int64), places);
  const Tensor from_front = where(indices < 0, indices + depth, indices);
  return {where(equal(expand_dims(from_front, axis), positions), values[1], values[0])};
}

/// int64 (axes, elements): where they are.
Tensors non_zero(const Call& call) {
  const Tensor x(call.elements(0));
  return {transpose(argwhere(x.ndim() == 0 ? reshape(x, {1}) : x))};
}

/// The slices of an axis, or the elements, for which a condition holds; it may be shorter than the axis.
Tensors compress(const Call& call) {
  const Tensor x = call.says("axis") ? call[0] : reshape(call[0], {-1});
  const std::int64_t axis = call.says("axis") ? checked_axis(call, call.integer("axis", 0), x.ndim()) : 0;
  const Tensor flags = reshape(Tensor(call.elements(1)), {-1});
  const Tensor used = flags[range(0, std::min(flags.size(), x.shape(axis)))];
  return {take(x, reshape(argwhere(used), {-1}), axis)};
}

/// The first steps of each sample the other way round, as many as its length says.
Tensors reverse_sequence(const Call& call) {
  const Tensor& x = call[0];
  const std::int64_t batch = checked_axis(call, call.integer("batch_axis", 1), x.ndim());
  const std::int64_t time = checked_axis(call, call.integer("time_axis", 0), x.ndim());
  if (x.ndim() < 2 || batch == time || call[1].shape() != Shape{x.shape(batch)}) {
    call.refuse(phrase("lengths of shape {} for an input of shape {}, samples on axis {} and steps on axis {}",
                       to_string(call[1].shape()), to_string(x.shape()), batch, time));
  }
  const auto on_axis = [&](const Tensor& list, std::int64_t axis) {
    Shape shape(Ints(all_axes(x.ndim())));
    for (std::size_t i = 0; i < shape.ndim(); ++i) {
      shape[i] = static_cast<std::int64_t>(i) == axis ? list.size() : 1;
    }
    return reshape(list, shape);
  };
  const Tensor steps = on_axis(arange(0, static_cast<double>(x.shape(time)), 1, DType::int64), time);
  const Tensor lengths = on_axis(cast(call[1], DType::int64), batch);
  return {take_along_axis(x, where(steps < lengths, lengths - 1 - steps, steps), time)};
}

constexpr std::array selection_table = {
    Operator{"Compress", {2, 2}, compress, 9},
    Operator{"Gather", {2, 2}, gather, 1},
    Operator{"GatherElements", {2, 2}, gather_elements, 11},
    Operator{"GatherND", {2, 2}, gather_nd, 11},
    Operator{"NonZero", {1, 1}, non_zero, 9},
    Operator{"OneHot", {3, 3}, one_hot_of, 9},
    Operator{"ReverseSequence", {2, 2}, reverse_sequence, 10},
};

}  // namespace

std::span<const Operator> selection_operators() { return selection_table; }

}  // namespace xgrad::onnx::loading
