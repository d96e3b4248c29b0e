#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/import/axes.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Operators that give the same elements in another shape or order.

namespace xgrad::onnx::loading {

namespace {

using Integers = std::vector<std::int64_t>;

/// A size of 0 stands for that of the same axis of x, unless the node says that it means 0; -1 for what is left.
Tensors reshape_to(const Call& call) {
  const Tensor& x = call[0];
  Shape shape = as_shape(call.integers(1));
  for (std::size_t axis = 0; axis < shape.ndim(); ++axis) {
    if (shape[axis] == 0 && !call.flag("allowzero", false)) {
      if (axis >= x.ndim()) {
        call.refuse(phrase("size {} of the new shape {} stands for that of the input of shape {}, which has fewer axes",
                           axis, to_string(shape), to_string(x.shape())));
      }
      shape[axis] = x.shape()[axis];
    }
  }
  return {reshape(x, shape)};
}

Tensors flatten(const Call& call) {
  const Tensor& x = call[0];
  const std::int64_t axis = call.integer("axis", 1);
  const auto ndim = static_cast<std::int64_t>(x.ndim());
  if (axis < -ndim || axis > ndim) {
    call.refuse(phrase("the axis is from {} to {}, got {}", -ndim, ndim, axis));
  }
  return {as_matrix(x, axis < 0 ? axis + ndim : axis)};
}

Tensors transpose_of(const Call& call) {
  return {call.says("perm") ? transpose(call[0], as_ints(call.integers("perm"))) : transpose(call[0])};
}

/// Axes as an attribute, or the second input.
Integers axes_of(const Call& call) { return call.has(1) ? call.integers(1) : call.integers("axes"); }

Tensors squeeze_of(const Call& call) {
  const bool all = !call.has(1) && !call.says("axes");
  return {all ? squeeze(call[0]) : squeeze(call[0], Axes(checked_axes(call, axes_of(call), call[0].ndim())))};
}

Tensors unsqueeze(const Call& call) {
  const Integers axes = axes_of(call);
  Shape shape = call[0].shape();
  for (const std::int64_t axis : checked_axes(call, axes, shape.ndim() + axes.size())) {
    shape.insert(static_cast<std::size_t>(axis), 1);
  }
  return {reshape(call[0], shape)};
}

Tensors concat(const Call& call) {
  const std::int64_t axis = call.integer("axis", 1);
  return {concatenate(call.inputs_from(0), checked_axis(call, axis, call[0].ndim()))};
}

/// Sizes of as many parts as there are outputs; the last one may be smaller.
Integers equal_parts(const Call& call, std::int64_t size) {
  const auto count = static_cast<std::int64_t>(call.output_count());
  if (call.integer("num_outputs", count) != count || count == 0) {
    call.refuse(phrase("{} outputs, where num_outputs is {}", count, call.integer("num_outputs", count)));
  }
  const std::int64_t part = (size + count - 1) / count;
  Integers parts(static_cast<std::size_t>(count), part);
  parts.back() = size - part * (count - 1);
  return parts;
}

Tensors split_of(const Call& call) {
  const Tensor& x = call[0];
  const std::int64_t axis = checked_axis(call, call.integer("axis", 0), x.ndim());
  const std::int64_t size = x.shape(axis);
  const Integers parts = call.has(1)          ? call.integers(1)
                         : call.says("split") ? call.integers("split")
                                              : equal_parts(call, size);
  const bool fits =
      std::all_of(parts.begin(), parts.end(), [&](std::int64_t part) { return part >= 0 && part <= size; });
  if (!fits || std::accumulate(parts.begin(), parts.end(), std::int64_t{0}) != size) {
    call.refuse(phrase("parts of sizes that do not add up to {}, the size of axis {}", size, axis));
  }
  Integers positions;
  std::int64_t position = 0;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    positions.push_back(position += parts[i]);
  }
  return split_at(x, positions, axis);
}

Tensors expand(const Call& call) {
  const Shape shape = as_shape(call.integers(1));
  require_sizes(call.node().type, shape);
  return {broadcast_to(call[0], broadcast_shapes(call.node().type, call[0].shape(), shape))};
}

Tensors tile_of(const Call& call) {
  const Integers repeats = call.integers(1);
  if (repeats.size() != call[0].ndim()) {
    call.refuse(phrase("{} numbers of repeats for {} axes", repeats.size(), call[0].ndim()));
  }
  return {tile(call[0], as_ints(repeats))};
}

/// The sizes of images, (batch, channels, height, width), and of blocks in them.
struct Blocks {
  std::int64_t batch, channels, height, width, size;
};

Blocks blocks_of(const Call& call) {
  const Shape& shape = call[0].shape();
  const std::int64_t size = call.integer("blocksize", 0);
  constexpr std::int64_t largest = 1 << 30;
  if (shape.ndim() != 4 || size < 1 || size > largest) {
    call.refuse(phrase("it takes four axes and a blocksize of 1 or more, got {} and {}", to_string(shape), size));
  }
  return {shape[0], shape[1], shape[2], shape[3], size};
}

Tensors depth_to_space(const Call& call) {
  const auto [n, c, h, w, b] = blocks_of(call);
  if (c % (b * b) != 0) {
    call.refuse(phrase("{} channels are no multiple of {}, the squared blocksize", c, b * b));
  }
  const std::int64_t depth = c / (b * b);
  const Tensor spread = call.text("mode", "DCR") == "CRD"
                            ? transpose(reshape(call[0], {n, depth, b, b, h, w}), {0, 1, 4, 2, 5, 3})
                            : transpose(reshape(call[0], {n, b, b, depth, h, w}), {0, 3, 4, 1, 5, 2});
  return {reshape(spread, {n, depth, h * b, w * b})};
}

Tensors space_to_depth(const Call& call) {
  const auto [n, c, h, w, b] = blocks_of(call);
  if (h % b != 0 || w % b != 0) {
    call.refuse(phrase("height {} and width {} are no multiples of the blocksize {}", h, w, b));
  }
  const Tensor blocks = transpose(reshape(call[0], {n, c, h / b, b, w / b, b}), {0, 3, 5, 1, 2, 4});
  return {reshape(blocks, {n, c * b * b, h / b, w / b})};
}

Tensors trilu(const Call& call) {
  const std::int64_t k = call.has(1) ? call.integer(1) : 0;
  return {call.flag("upper", true) ? triu(call[0], k) : tril(call[0], k)};
}

constexpr std::array layout_table = {
    Operator{"Concat", {1, any_number}, concat, 4}, Operator{"DepthToSpace", {1, 1}, depth_to_space, 1},
    Operator{"Expand", {2, 2}, expand, 8},          Operator{"Flatten", {1, 1}, flatten, 1},
    Operator{"Reshape", {2, 2}, reshape_to, 5},     Operator{"SpaceToDepth", {1, 1}, space_to_depth, 1},
    Operator{"Split", {1, 2}, split_of, 2},         Operator{"Squeeze", {1, 2}, squeeze_of, 1},
    Operator{"Tile", {2, 2}, tile_of, 6},           Operator{"Transpose", {1, 1}, transpose_of, 1},
    Operator{"Trilu", {1, 2}, trilu, 14},           Operator{"Unsqueeze", {1, 2}, unsqueeze, 1},
};

}  // namespace

std::span<const Operator> layout_operators() { return layout_table; }

}  // namespace xgrad::onnx::loading
