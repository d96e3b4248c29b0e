#include <array>
#include <cstdint>
#include <limits>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/import/axes.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"
#include "onnx/import/positions.hpp"

/// \file
/// Operators that pick elements by indices, or by what they are.

namespace xgrad::onnx::loading {

namespace {

Tensors gather(const Call& call) {
  const Tensor& x = call[0];
  return {take(x, call[1], checked_axis(call, call.integer("axis", 0), x.ndim()))};
}

Tensors gather_elements(const Call& call) {
  const Tensor& x = call[0];
  const std::int64_t axis = checked_axis(call, call.integer("axis", 0), x.ndim());
  return {take_along_axis(cut_to(call, x, call[1].shape(), axis), call[1], axis)};
}

/// Axes in front that pair up, then those of the indices, then those of x that they do not name.
Tensors gather_nd(const Call& call) {
  const Tensor& x = call[0];
  const Tensor& indices = call[1];
  const NamedPositions named = positions_of(call, x.shape(), indices, call.integer("batch_dims", 0));
  return {reshape(take(reshape(x, named.rows), named.positions), named.picked)};
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

/// Whether each element of an array is other than 0.
std::vector<bool> nonzero_elements(const Array& array) {
  return dispatch(array.dtype(), [&](auto zero) {
    const auto* first = array.data<decltype(zero)>();
    std::vector<bool> flags;
    for (std::int64_t i = 0; i < array.size(); ++i) {
      flags.push_back(first[i] != decltype(zero){});
    }
    return flags;
  });
}

/// int64 (axes, elements): where they are.
Tensors non_zero(const Call& call) {
  const Array x = call.elements(0);
  const std::vector<bool> flags = nonzero_elements(x);
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i]) {
      places.push_back(static_cast<std::int64_t>(i));
    }
  }
  const Shape shape = x.shape().ndim() == 0 ? Shape{1} : x.shape();
  const Ints strides = row_major_strides(shape);
  Array result({static_cast<std::int64_t>(shape.ndim()), static_cast<std::int64_t>(places.size())}, DType::int64);
  std::int64_t* out = result.data<std::int64_t>();
  for (std::size_t axis = 0; axis < shape.ndim(); ++axis) {
    for (const std::int64_t place : places) {
      *out++ = place / strides[axis] % shape[axis];
    }
  }
  return {Tensor(result)};
}

/// The slices of an axis, or the elements, for which a condition holds; it may be shorter than the axis.
Tensors compress(const Call& call) {
  const Tensor x = call.says("axis") ? call[0] : reshape(call[0], {-1});
  const std::int64_t axis = call.says("axis") ? checked_axis(call, call.integer("axis", 0), x.ndim()) : 0;
  const std::vector<bool> flags = nonzero_elements(call.elements(1));
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < flags.size() && static_cast<std::int64_t>(i) < x.shape(axis); ++i) {
    if (flags[i]) {
      kept.push_back(static_cast<std::int64_t>(i));
    }
  }
  return {take(x, Tensor(kept), axis)};
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
