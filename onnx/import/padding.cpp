#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/import/axes.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Operators that cut tensors, and widen them.

namespace xgrad::onnx::loading {

namespace {

using Integers = std::vector<std::int64_t>;

/// An end that is given, however far it lies before the first element: never one that is left open.
std::int64_t given(std::int64_t end) { return end == Slice::open ? end + 1 : end; }

Tensor cut(const Call& call, const Integers& starts, const Integers& ends, const Integers& axes,
           const Integers& steps) {
  const Tensor& x = call[0];
  if (starts.size() != ends.size() || starts.size() != axes.size() || starts.size() != steps.size()) {
    call.refuse(phrase("{} starts, {} ends, {} axes and {} steps do not belong together", starts.size(), ends.size(),
                       axes.size(), steps.size()));
  }
  std::vector<Slice> slices(x.ndim(), all());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(normalize_axis(call.node().type, axes[i], x.ndim()));
    if (steps[i] == 0) {
      call.refuse("a step is 0");
    }
    slices[axis] = range(given(starts[i]), given(ends[i]), steps[i]);
  }
  return slice(x, slices);
}

/// 0, 1, ... count - 1.
Integers first_axes(std::size_t count) {
  Integers axes(count);
  for (std::size_t i = 0; i < count; ++i) {
    axes[i] = static_cast<std::int64_t>(i);
  }
  return axes;
}

Tensors slice_by_attributes(const Call& call) {
  const Integers starts = call.integers("starts");
  const Integers axes = call.says("axes") ? call.integers("axes") : first_axes(starts.size());
  return {cut(call, starts, call.integers("ends"), axes, Integers(starts.size(), 1))};
}

Tensors slice_by_inputs(const Call& call) {
  const Integers starts = call.integers(1);
  const Integers axes = call.has(3) ? call.integers(3) : first_axes(starts.size());
  const Integers steps = call.has(4) ? call.integers(4) : Integers(starts.size(), 1);
  return {cut(call, starts, call.integers(2), axes, steps)};
}

/// How many elements come before and behind each axis; fewer than 0 are cut away.
struct Widths {
  Ints before, behind;
};

/// More than there is memory for, and little enough to be added up.
constexpr std::int64_t widest = std::int64_t{1} << 48;

Widths widths_of(const Call& call, const Integers& pads, const Integers& axes) {
  const std::size_t ndim = call[0].ndim();
  if (pads.size() != 2 * axes.size()) {
    call.refuse(phrase("{} widths for {} axes; each has one before and one behind it", pads.size(), axes.size()));
  }
  Widths widths{Ints(all_axes(ndim)), Ints(all_axes(ndim))};
  std::fill(widths.before.begin(), widths.before.end(), 0);
  std::fill(widths.behind.begin(), widths.behind.end(), 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = normalize_axis(call.node().type, axes[i], ndim);
    for (const std::int64_t width : {pads[i], pads[axes.size() + i]}) {
      if (width < -widest || width > widest) {
        call.refuse(phrase("a width of {} on axis {} is more than tensors can have", width, axis));
      }
    }
    widths.before[axis] = pads[i];
    widths.behind[axis] = pads[axes.size() + i];
  }
  return widths;
}

/// Without what negative widths cut away, which are 0 afterwards.
Tensor cut_away(const Tensor& x, Widths& widths) {
  std::vector<Slice> slices;
  bool cuts = false;
  for (std::size_t axis = 0; axis < x.ndim(); ++axis) {
    const std::int64_t size = x.shape()[axis];
    const std::int64_t begin = std::clamp<std::int64_t>(-widths.before[axis], 0, size);
    const std::int64_t end = size - std::clamp<std::int64_t>(-widths.behind[axis], 0, size - begin);
    slices.push_back(range(begin, end));
    cuts = cuts || begin > 0 || end < size;
    widths.before[axis] = std::max<std::int64_t>(widths.before[axis], 0);
    widths.behind[axis] = std::max<std::int64_t>(widths.behind[axis], 0);
  }
  return cuts ? slice(x, slices) : x;
}

/// How tensors are widened by their own elements.
struct Mode {
  std::string_view name;
  PadMode mode;
};

constexpr std::array modes = {Mode{"reflect", PadMode::reflect}, Mode{"edge", PadMode::edge},
                              Mode{"wrap", PadMode::wrap}};

Tensor with_constant(const Call& call, const Tensor& x, const Widths& widths, std::size_t value_input) {
  if (!call.has(value_input)) {
    return pad(x, widths.before, widths.behind, call.number("value", 0));
  }
  if (is_integer(x.dtype())) {
    return pad(x, widths.before, widths.behind, call.integer(value_input));
  }
  return pad(x, widths.before, widths.behind, call.number(value_input));
}

Tensors pad_with(const Call& call, const Integers& pads, const Integers& axes) {
  Widths widths = widths_of(call, pads, axes);
  const Tensor x = cut_away(call[0], widths);
  const std::string mode = call.text("mode", "constant");
  if (mode == "constant") {
    return {with_constant(call, x, widths, 2)};
  }
  const auto* found = std::find_if(modes.begin(), modes.end(), [&](const Mode& each) { return each.name == mode; });
  if (found == modes.end()) {
    call.refuse(phrase("the mode is constant, reflect, edge or wrap, not '{}'", mode));
  }
  return {pad(x, widths.before, widths.behind, found->mode)};
}

Tensors pad_by_attributes(const Call& call) {
  return pad_with(call, call.integers("pads"), first_axes(call[0].ndim()));
}

Tensors pad_by_inputs(const Call& call) {
  return pad_with(call, call.integers(1), call.has(3) ? call.integers(3) : first_axes(call[0].ndim()));
}

/// Cut or padded by zeros about the middle.
Tensors center_crop_pad(const Call& call) {
  const Tensor& x = call[0];
  const Integers sizes = call.integers(1);
  const Integers axes = call.says("axes") ? call.integers("axes") : first_axes(x.ndim());
  if (sizes.size() != axes.size()) {
    call.refuse(phrase("{} sizes for {} axes", sizes.size(), axes.size()));
  }
  Integers pads(2 * axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t size = x.shape()[normalize_axis(call.node().type, axes[i], x.ndim())];
    if (sizes[i] < 0 || sizes[i] > widest) {
      call.refuse(phrase("a size of {} on axis {}", sizes[i], axes[i]));
    }
    const std::int64_t more = sizes[i] - size;
    pads[i] = more >= 0 ? more / 2 : -((-more) / 2);
    pads[axes.size() + i] = more - pads[i];
  }
  Widths widths = widths_of(call, pads, axes);
  const Tensor kept = cut_away(x, widths);
  return {pad(kept, widths.before, widths.behind)};
}

constexpr std::array padding_table = {
    Operator{"CenterCropPad", {2, 2}, center_crop_pad, 18},
    Operator{"Pad", {1, 1}, pad_by_attributes, 2, 10},
    Operator{"Pad", {2, 4}, pad_by_inputs, 11},
    Operator{"Slice", {1, 1}, slice_by_attributes, 1, 9},
    Operator{"Slice", {3, 5}, slice_by_inputs, 10},
};

}  // namespace

std::span<const Operator> padding_operators() { return padding_table; }

}  // namespace xgrad::onnx::loading
