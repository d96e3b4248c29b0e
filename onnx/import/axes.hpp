#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "autograd/array/shape.hpp"
#include "onnx/import/call.hpp"

/// \file
/// Internal: axes and shapes as attributes and inputs give them.

namespace xgrad::onnx::loading {

/// 0, 1, ... ndim - 1.
Ints all_axes(std::size_t ndim);
/// \p axis counted from the front; of a single number 0 and -1 are taken for its only axis, and 0.
/// \throws ValueError when there is none.
std::int64_t checked_axis(const Call& call, std::int64_t axis, std::size_t ndim);
/// Several, in ascending order; none of a single number. \throws ValueError for one out of range, or given twice.
Ints checked_axes(const Call& call, std::span<const std::int64_t> axes, std::size_t ndim);
/// A list of any length as one number per axis. \throws ShapeError for more than tensors have axes.
Ints as_ints(std::span<const std::int64_t> list);
/// The same, as sizes.
Shape as_shape(std::span<const std::int64_t> list);
/// \p x as a matrix: the axes before \p axis, in [0, ndim], and those from it on.
Tensor as_matrix(const Tensor& x, std::int64_t axis);

}  // namespace xgrad::onnx::loading
