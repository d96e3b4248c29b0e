#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "autograd/ops/ops.hpp"
#include "onnx/import/arithmetic_type.hpp"
#include "onnx/import/axes.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Reductions, and positions of extreme elements.

namespace xgrad::onnx::loading {

namespace {

using Reduction = Tensor (*)(const Tensor& x, const Axes& axes, bool keepdims);

/// The axes are an attribute, or the second input. None are all, unless the node says that they are really none.
template <Reduction reduction>
Tensors reduce(const Call& call) {
  const Tensor& x = call[0];
  const std::vector<std::int64_t> axes = call.has(1) ? call.integers(1) : call.integers("axes");
  const bool keepdims = call.flag("keepdims", true);
  if (axes.empty()) {
    return {call.flag("noop_with_empty_axes", false) ? x : reduction(x, Axes(all_axes(x.ndim())), keepdims)};
  }
  return {reduction(x, Axes(checked_axes(call, axes, x.ndim())), keepdims)};
}

Tensor sum_of(const Tensor& x, const Axes& axes, bool keepdims) { return cast(sum(x, axes, keepdims), x.dtype()); }

Tensor mean_of(const Tensor& x, const Axes& axes, bool keepdims) {
  return with_floating([&](const Tensor& t) { return mean(t, axes, keepdims); }, x);
}

Tensor prod_of(const Tensor& x, const Axes& axes, bool keepdims) { return cast(prod(x, axes, keepdims), x.dtype()); }

Tensor sum_of_magnitudes(const Tensor& x, const Axes& axes, bool keepdims) {
  return sum_of(with_arithmetic([](const Tensor& t) { return xgrad::abs(t); }, x), axes, keepdims);
}

Tensor sum_of_squares(const Tensor& x, const Axes& axes, bool keepdims) {
  return sum_of(with_arithmetic([](const Tensor& t) { return square(t); }, x), axes, keepdims);
}

Tensor length_of(const Tensor& x, const Axes& axes, bool keepdims) {
  return with_floating([&](const Tensor& t) { return norm(t, axes, keepdims); }, x);
}

Tensor log_of_sum(const Tensor& x, const Axes& axes, bool keepdims) {
  return with_floating([&](const Tensor& t) { return log(sum(t, axes, keepdims)); }, x);
}

bool reduces_nothing(const Tensor& x, const Axes& axes) {
  for (const std::int64_t axis : axes.list()) {
    if (x.shape()[static_cast<std::size_t>(axis)] == 0) {
      return true;
    }
  }
  return false;
}

/// What is left of a shape.
Shape reduced_shape(const Tensor& x, const Axes& axes, bool keepdims) {
  return sum(zeros(x.shape(), DType::float32), axes, keepdims).shape();
}

Tensor log_of_sum_of_exponentials(const Tensor& x, const Axes& axes, bool keepdims) {
  if (reduces_nothing(x, axes)) {
    return full(reduced_shape(x, axes, keepdims), -std::numeric_limits<double>::infinity(), x.dtype());
  }
  return with_floating([&](const Tensor& t) { return logsumexp(t, axes, keepdims); }, x);
}

/// The least number of a dtype, or the largest: what the maximum and minimum of nothing are.
Tensor extreme(DType dtype, bool largest) {
  return dispatch(dtype, [&](auto zero) {
    using Limits = std::numeric_limits<decltype(zero)>;
    if constexpr (Limits::has_infinity) {
      return Tensor(largest ? Limits::infinity() : -Limits::infinity());
    } else {
      return Tensor(largest ? Limits::max() : Limits::lowest());
    }
  });
}

Tensor largest(const Tensor& x, const Axes& axes, bool keepdims) {
  return reduces_nothing(x, axes) ? broadcast_to(extreme(x.dtype(), false), reduced_shape(x, axes, keepdims))
                                  : amax(x, axes, keepdims);
}

Tensor smallest(const Tensor& x, const Axes& axes, bool keepdims) {
  return reduces_nothing(x, axes) ? broadcast_to(extreme(x.dtype(), true), reduced_shape(x, axes, keepdims))
                                  : amin(x, axes, keepdims);
}

/// The first position of the extreme element, or the last one.
template <Tensor (*position)(const Operand&, const Axes&, bool)>
Tensors position_of(const Call& call) {
  const Tensor& x = call[0];
  const std::int64_t axis = checked_axis(call, call.integer("axis", 0), x.ndim());
  const bool keepdims = call.flag("keepdims", true);
  if (!call.flag("select_last_index", false)) {
    return {position(x, axis, keepdims)};
  }
  return {x.shape(axis) - 1 - position(flip(x, axis), axis, keepdims)};
}

constexpr std::array reductions_table = {
    Operator{"ArgMax", {1, 1}, position_of<xgrad::argmax>, 1},
    Operator{"ArgMin", {1, 1}, position_of<xgrad::argmin>, 1},
    Operator{"ReduceL1", {1, 2}, reduce<sum_of_magnitudes>, 1},
    Operator{"ReduceL2", {1, 2}, reduce<length_of>, 1},
    Operator{"ReduceLogSum", {1, 2}, reduce<log_of_sum>, 1},
    Operator{"ReduceLogSumExp", {1, 2}, reduce<log_of_sum_of_exponentials>, 1},
    Operator{"ReduceMax", {1, 2}, reduce<largest>, 1},
    Operator{"ReduceMean", {1, 2}, reduce<mean_of>, 1},
    Operator{"ReduceMin", {1, 2}, reduce<smallest>, 1},
    Operator{"ReduceProd", {1, 2}, reduce<prod_of>, 1},
    Operator{"ReduceSum", {1, 2}, reduce<sum_of>, 1},
    Operator{"ReduceSumSquare", {1, 2}, reduce<sum_of_squares>, 1},
};

}  // namespace

std::span<const Operator> reduction_operators() { return reductions_table; }

}  // namespace xgrad::onnx::loading
