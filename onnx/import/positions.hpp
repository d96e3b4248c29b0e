#pragma once

#include <cstdint>

#include "autograd/graph/tensor.hpp"
#include "onnx/import/call.hpp"

/// \file
/// Internal: elements named by a position on each of several axes.

namespace xgrad::onnx::loading {

/// Slices of a tensor that are named by vectors of positions, one per axis.
struct NamedPositions {
  Shape rows;        ///< x as the slices that can be named, one after the other: (slices, elements of each..)
  Tensor positions;  ///< int64: which of them are named, in order. What lies outside of an axis lies behind the last
  Shape picked;      ///< of what is picked: the axes of the indices but the last, then those of a slice
};

/// \p indices have as their last axis positions on the axes of a tensor of shape \p shape that follow the first
/// \p batch_axes, which pair up with their own. \throws ShapeError when they do not belong together.
NamedPositions positions_of(const Call& call, const Shape& shape, const Tensor& indices, std::int64_t batch_axes);

/// The part of \p x that indices of shape \p shape can name along \p axis: all positions of it, and of the others those
/// that the indices have. \throws ShapeError when they have more of them than x.
Tensor cut_to(const Call& call, const Tensor& x, const Shape& shape, std::int64_t axis);

}  // namespace xgrad::onnx::loading
