#include <array>
#include <cstdint>

#include "autograd/ops/ops.hpp"
#include "onnx/import/arithmetic_type.hpp"
#include "onnx/import/axes.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Operators along an axis: normalised exponentials, cumulative sums, sorting.

namespace xgrad::onnx::loading {

namespace {

using Along = Tensor (*)(const Tensor& x, std::int64_t axis);

Tensor softmax_along(const Tensor& x, std::int64_t axis) { return softmax(x, axis); }

Tensor log_softmax_along(const Tensor& x, std::int64_t axis) { return log_softmax(x, axis); }

/// 1 at the first maximum, else 0.
Tensor hardmax_along(const Tensor& x, std::int64_t axis) {
  const Tensor chosen = one_hot(argmax(x, axis), x.shape(axis), x.dtype());
  // The axis came last: back to its place.
  Ints order = all_axes(x.ndim());
  order.erase(order.ndim() - 1);
  order.insert(static_cast<std::size_t>(axis), static_cast<std::int64_t>(x.ndim()) - 1);
  return transpose(chosen, order);
}

/// Along one axis, of opset 13 on.
template <Along function>
Tensors along_axis(const Call& call) {
  const Tensor& x = call[0];
  if (x.ndim() == 0) {
    checked_axis(call, call.integer("axis", -1), 0);
    return {reshape(function(reshape(x, {1}), 0), {})};
  }
  return {function(x, checked_axis(call, call.integer("axis", -1), x.ndim()))};
}

/// Over all axes from one on, as if they were one.
template <Along function>
Tensors from_axis_on(const Call& call) {
  const Tensor& x = call[0];
  const std::int64_t axis = checked_axis(call, call.integer("axis", 1), x.ndim());
  return {reshape(function(as_matrix(x, axis), 1), x.shape())};
}

Tensors cumulative_sum(const Call& call) {
  const Tensor& x = call[0];
  const std::int64_t axis = checked_axis(call, call.integer(1), x.ndim());
  const bool reverse = call.flag("reverse", false);
  const bool exclusive = call.flag("exclusive", false);
  return {cast(cumsum(x, axis, exclusive, reverse), x.dtype())};
}

Tensors top_k(const Call& call) {
  const Tensor& x = call[0];
  const std::int64_t k = call.has(1) ? call.integer(1) : call.integer("k", 1);
  const std::int64_t axis = checked_axis(call, call.integer("axis", -1), x.ndim());
  if (k == 0) {
    Shape shape = x.shape();
    shape[static_cast<std::size_t>(axis)] = 0;
    return {zeros(shape, x.dtype()), zeros(shape, DType::int64)};
  }
  const TopK top = topk(x, k, axis, call.flag("largest", true));
  return {top.values, top.indices};
}

Tensors normalize_by_length(const Call& call) {
  const Tensor& x = call[0];
  const std::int64_t axis = checked_axis(call, call.integer("axis", -1), x.ndim());
  const std::int64_t p = call.integer("p", 2);
  if (p != 1 && p != 2) {
    call.refuse("p is 1 or 2");
  }
  const Tensor length = p == 1 ? sum(xgrad::abs(x), axis, true) : norm(x, axis, true);
  return {map([](Scalar a, Scalar n) { return where(n == 0, 0, a / n); }, x, length)};
}

constexpr std::array axis_table = {
    Operator{"CumSum", {2, 2}, cumulative_sum, 11},
    Operator{"Hardmax", {1, 1}, from_axis_on<hardmax_along>, 1, 12},
    Operator{"Hardmax", {1, 1}, along_axis<hardmax_along>, 13},
    Operator{"LogSoftmax", {1, 1}, from_axis_on<log_softmax_along>, 1, 12},
    Operator{"LogSoftmax", {1, 1}, along_axis<log_softmax_along>, 13},
    Operator{"LpNormalization", {1, 1}, normalize_by_length, 1},
    Operator{"Softmax", {1, 1}, from_axis_on<softmax_along>, 1, 12},
    Operator{"Softmax", {1, 1}, along_axis<softmax_along>, 13},
    Operator{"TopK", {1, 1}, top_k, 1, 9},
    Operator{"TopK", {2, 2}, top_k, 10},
};

}  // namespace

std::span<const Operator> axis_operators() { return axis_table; }

}  // namespace xgrad::onnx::loading
