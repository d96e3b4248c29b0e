#include <algorithm>
#include <limits>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/ops/sum.hpp"
#include "autograd/ops/transpose.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Reductions. The operations reduce a run of adjacent axes [first, last) and leave them out of the result; `reduce`
/// brings other cases to that form.

namespace xgrad {

namespace {

using kernels::Reduction;

void eval_reduction(Reduction kind, const AxisRun& axes, ConstViews in, Views out) {
  const auto [outer, n, inner] = axes.extent(in[0].shape());
  kernels::reduce(kind, in[0].dtype(), in[0].data, out[0].data, outer, n, inner);
}

// A tensor of the reduced shape, with the reduced axes back as size 1.
Tensor with_kept_axes(const Tensor& reduced, const AxisRun& axes, const Shape& input_shape) {
  return reshape(reduced, axes.with_ones(input_shape));
}

// The operand of an op that is made from others, checked in that op's own name.
Tensor checked_operand(std::string_view op, const Operand& x, const Axes& axes) {
  return located(x.where(), [&] {
    const Tensor tensor = x.tensor();
    require_floating(op, tensor.dtype());
    reduced_axes(op, axes, tensor.ndim());
    return tensor;
  });
}

void require_elements(std::string_view op, const AxisRun& axes, const Shape& shape) {
  const auto [outer, n, inner] = axes.extent(shape);
  if (n == 0 && outer * inner > 0) {
    raise<ShapeError>(op, phrase("there is no element to choose from: axes [{}, {}) of shape {} are empty", axes.first,
                                 axes.last, to_string(shape)));
  }
}

// Reduces any axes of x by an operation on adjacent ones: others are first moved next to each other, to the end. What Op makes of
// some elements does not depend on their order, unless it tells positions among several axes.
template <class Op>
Tensor reduce(const Operand& x, const Axes& axes, bool keepdims);

// Of a transposed tensor, what is reduced is the tensor itself, along its own axes; the axes that are left are transposed after
// that, and most often there is one. \p reduced are axes of the transposed tensor, in ascending order.
template <class Op>
Tensor reduce_untransposed(const Node& transposition, const Ints& reduced) {
  const Ints& order = transposition.as<Transpose>()->axes;
  const auto is_reduced = [&](std::size_t axis) {
    return std::find(reduced.begin(), reduced.end(), static_cast<std::int64_t>(axis)) != reduced.end();
  };
  Ints own;   // of the tensor itself
  Ints left;  // in their order after the transposition
  for (std::size_t axis = 0; axis < order.ndim(); ++axis) {
    (is_reduced(axis) ? own : left).push_back(order[axis]);
  }
  Ints ranks = left;  // among those that are left
  for (std::int64_t& rank : ranks) {
    const std::int64_t axis = rank;
    rank = std::count_if(left.begin(), left.end(), [axis](std::int64_t other) { return other < axis; });
  }
  const Tensor result = reduce<Op>(transposition.input(0), Axes(own), false);
  return std::is_sorted(ranks.begin(), ranks.end()) ? result : transpose(result, ranks);
}

template <class Op>
Tensor reduce(const Operand& x, const Axes& axes, bool keepdims) {
  const SourceScope scope(x);
  Tensor input = x.tensor();
  const Shape full_shape = input.shape();
  const Ints reduced = located(x.where(), [&] { return reduced_axes(Op::name, axes, full_shape.ndim()); });
  AxisRun run;
  const auto count = static_cast<std::int64_t>(reduced.ndim());
  if (count > 0) {
    run = {reduced[0], reduced[0] + count};
  }
  const bool reorders = count > 0 && input.node().template as<Transpose>() != nullptr &&
                        (count == 1 || !requires { Op::tells_positions; });
  if (!reorders && count > 0 && reduced.back() + 1 != run.last) {
    Ints order;
    Shape kept_shape = full_shape;
    for (std::int64_t axis : reduced) {
      kept_shape[static_cast<std::size_t>(axis)] = -1;
    }
    for (std::size_t i = 0; i < full_shape.ndim(); ++i) {
      if (kept_shape[i] != -1) {
        order.push_back(static_cast<std::int64_t>(i));
      }
    }
    run = {static_cast<std::int64_t>(order.ndim()), static_cast<std::int64_t>(full_shape.ndim())};
    for (std::int64_t axis : reduced) {
      order.push_back(axis);
    }
    input = transpose(input, order);
  }
  const Tensor result =
      reorders ? reduce_untransposed<Op>(input.node(), reduced) : apply_op(Op{run}, {input}, x.where());
  if (!keepdims) {
    return result;
  }
  Shape kept = full_shape;
  for (std::int64_t axis : reduced) {
    kept[static_cast<std::size_t>(axis)] = 1;
  }
  return reshape(result, kept);
}

}  // namespace

void Sum::eval(ConstViews in, Views out) const { eval_reduction(Reduction::sum, axes, in, out); }

Tensors Sum::vjp(const Node& node, const Cotangents& ct) const {
  const Shape& shape = node.input(0).shape();
  return {broadcast_to(with_kept_axes(ct[0], axes, shape), shape)};
}

Tensors Sum::vmap(const Node&, const BatchedInputs& in) const {
  return {apply_op(Sum{axes.behind_samples()}, {in[0]})};
}

Tensor sum(const Operand& x, const Axes& axes, bool keepdims) { return reduce<Sum>(x, axes, keepdims); }

Tensor mean(const Operand& x, const Axes& axes, bool keepdims) {
  const SourceScope scope(x);
  const Tensor input = checked_operand("mean", x, axes);
  const Tensor total = sum(input, axes, keepdims);
  return total / (static_cast<double>(input.size()) / static_cast<double>(total.size()));
}

Tensor variance(const Operand& x, const Axes& axes, bool keepdims) {
  const SourceScope scope(x);
  const Tensor input = checked_operand("variance", x, axes);
  // The mean is rounded, by more than the deviations are worth where these are small beside it: what it is off by is taken
  // from them once more. That has no part in the derivative, for it is next to 0.
  const Tensor deviations = input - mean(input, axes, true);
  return mean(square(deviations - stop_gradient(mean(deviations, axes, true))), axes, keepdims);
}

namespace {

// √s, with derivative 0 at 0, where the true one is unbounded: as PyTorch takes it for norms. a^(3/2) is 0 there like its
// first derivative, but its second one is infinite, so that second derivatives, which do not exist, are not 0.
Tensor flat_sqrt(const Tensor& s) {
  return map([](Scalar a) { return where(a == 0, pow(a, 1.5), sqrt(a)); }, s);
}

}  // namespace

Tensor stddev(const Operand& x, const Axes& axes, bool keepdims) {
  const SourceScope scope(x);
  const Tensor input = checked_operand("stddev", x, axes);
  const Tensor deviation = variance(input, axes, keepdims);
  if (deviation.size() == input.size()) {  // of single elements: 0, whatever they are
    return map([](Scalar a) { return where(a == 0, 0, sqrt(a)); }, deviation);
  }
  return flat_sqrt(deviation);
}

namespace {

/// y = √Σ x²; dy/dx = x / y, and 0 where y is.
struct Norm {
  static constexpr std::string_view name = "norm";
  AxisRun axes;
  static constexpr auto attributes = fields("axes", &Norm::axes);
  static constexpr bool total = true;
  bool splits_rows(Inputs) const { return axes.first > 0; }

  Spec infer(Inputs in) const {
    require_floating(name, in[0].dtype());
    return {axes.without(in[0].shape()), in[0].dtype()};
  }
  void eval(ConstViews in, Views out) const {
    const auto [outer, n, inner] = axes.extent(in[0].shape());
    kernels::norm(in[0].dtype(), in[0].data, out[0].data, outer, n, inner);
  }
  // x / y. Where that is 0 / 0 it is √x, which is 0 like x, but has no finite derivative: there is no second one of y.
  Tensor direction(const Node& node) const {
    const Tensor& x = node.input(0);
    return map([](Scalar a, Scalar b) { return where(b == 0, sqrt(a), a / b); }, x,
               with_kept_axes(node.output(0), axes, x.shape()));
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    return {direction(node) * with_kept_axes(ct[0], axes, node.input(0).shape())};
  }
  Tensors jvp(const Node& node, const Tangents& t) const { return {apply_op(Sum{axes}, {direction(node) * t[0]})}; }
  Tensors vmap(const Node&, const BatchedInputs& in) const { return {apply_op(Norm{axes.behind_samples()}, {in[0]})}; }
};

}  // namespace

Tensor norm(const Operand& x, const Axes& axes, bool keepdims) { return reduce<Norm>(x, axes, keepdims); }

namespace {

template <Reduction kind>
struct Extreme {
  static constexpr std::string_view name = kind == Reduction::amax ? "amax" : "amin";
  AxisRun axes;
  static constexpr auto attributes = fields("axes", &Extreme::axes);
  static constexpr bool total = true;
  bool splits_rows(Inputs) const { return axes.first > 0; }

  Spec infer(Inputs in) const {
    require_elements(name, axes, in[0].shape());
    return {axes.without(in[0].shape()), in[0].dtype()};
  }
  void eval(ConstViews in, Views out) const { eval_reduction(kind, axes, in, out); }

  // The positions at which the extreme value was found have equal shares in it: 1 / their number.
  Tensor shares(const Node& node) const {
    const Tensor& x = node.input(0);
    const Tensor extreme = with_kept_axes(node.output(0), axes, x.shape());
    const Tensor found = cast(equal(x, extreme), derivative_dtype(x.dtype()));
    return found / sum(found, Axes(axes.list()), true);
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    return {shares(node) * with_kept_axes(ct[0], axes, node.input(0).shape())};
  }
  Tensors jvp(const Node& node, const Tangents& t) const { return {apply_op(Sum{axes}, {shares(node) * t[0]})}; }
  Tensors vmap(const Node&, const BatchedInputs& in) const {
    return {apply_op(Extreme{axes.behind_samples()}, {in[0]})};
  }
};

}  // namespace

Tensor amax(const Operand& x, const Axes& axes, bool keepdims) {
  return reduce<Extreme<Reduction::amax>>(x, axes, keepdims);
}

Tensor amin(const Operand& x, const Axes& axes, bool keepdims) {
  return reduce<Extreme<Reduction::amin>>(x, axes, keepdims);
}

namespace {

/// y = log Σ eˣ, shifted by the maximum so that nothing overflows; dy/dx = eˣ⁻ʸ, the softmax.
struct LogSumExp {
  static constexpr std::string_view name = "logsumexp";
  AxisRun axes;
  static constexpr auto attributes = fields("axes", &LogSumExp::axes);
  static constexpr bool total = true;
  bool splits_rows(Inputs) const { return axes.first > 0; }

  Spec infer(Inputs in) const {
    require_floating(name, in[0].dtype());
    return {axes.without(in[0].shape()), in[0].dtype()};
  }
  void eval(ConstViews in, Views out) const { eval_reduction(Reduction::logsumexp, axes, in, out); }
  // factor · softmax(x). Where all x are -inf so is y, and the derivative is 0 rather than e^(inf - inf).
  Tensor times_softmax(const Node& node, const Tensor& factor) const {
    const Tensor& x = node.input(0);
    const Tensor y = with_kept_axes(node.output(0), axes, x.shape());
    const auto product = [](Scalar a, Scalar b, Scalar c) {
      return where(b == -std::numeric_limits<double>::infinity(), 0, c * exp(a - b));
    };
    return map(product, x, y, factor);
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    return {times_softmax(node, with_kept_axes(ct[0], axes, node.input(0).shape()))};
  }
  Tensors jvp(const Node& node, const Tangents& t) const { return {apply_op(Sum{axes}, {times_softmax(node, t[0])})}; }
  Tensors vmap(const Node&, const BatchedInputs& in) const {
    return {apply_op(LogSumExp{axes.behind_samples()}, {in[0]})};
  }
};

}  // namespace

Tensor logsumexp(const Operand& x, const Axes& axes, bool keepdims) { return reduce<LogSumExp>(x, axes, keepdims); }

namespace {

// x less its maximum along an axis: what softmax is computed from, so that large logits do not cost digits.
Tensor shifted(const Tensor& x, std::int64_t axis) {
  if (x.size() == 0) {
    return x;
  }
  const auto difference = [](Scalar a, Scalar largest) {
    return where(largest == -std::numeric_limits<double>::infinity(), a, a - largest);
  };
  return map(difference, x, stop_gradient(amax(x, axis, true)));
}

}  // namespace

Tensor softmax(const Operand& x, std::int64_t axis) {
  const SourceScope scope(x);
  const Tensor logits = shifted(checked_operand("softmax", x, axis), axis);
  return map([](Scalar a, Scalar b) { return exp(a - b); }, logits, logsumexp(logits, axis, true));
}

Tensor log_softmax(const Operand& x, std::int64_t axis) {
  const SourceScope scope(x);
  const Tensor logits = shifted(checked_operand("log_softmax", x, axis), axis);
  return logits - logsumexp(logits, axis, true);
}

namespace {

template <bool largest>
struct Position {
  static constexpr std::string_view name = largest ? "argmax" : "argmin";
  static constexpr bool tells_positions = true;
  static constexpr bool stops_gradient = true;
  AxisRun axes;
  static constexpr auto attributes = fields("axes", &Position::axes);
  static constexpr bool total = true;
  bool splits_rows(Inputs) const { return axes.first > 0; }

  Spec infer(Inputs in) const {
    require_elements(name, axes, in[0].shape());
    return {axes.without(in[0].shape()), DType::int64};
  }
  void eval(ConstViews in, Views out) const {
    const auto [outer, n, inner] = axes.extent(in[0].shape());
    const auto kernel = largest ? kernels::argmax : kernels::argmin;
    kernel(in[0].dtype(), in[0].data, out[0].as<std::int64_t>(), outer, n, inner);
  }
  Tensors vmap(const Node&, const BatchedInputs& in) const {
    return {apply_op(Position{axes.behind_samples()}, {in[0]})};
  }
};

// One axis, or all of them: then the position is the one in the flattened tensor.
template <bool largest>
Tensor position(const Operand& x, const Axes& axis, bool keepdims) {
  const SourceScope scope(x);
  if (!axis.all() && axis.list().ndim() != 1) {
    located(x.where(), [&] {
      raise<ValueError>(Position<largest>::name,
                        phrase("it takes one axis, or none for the whole tensor, got {}", to_string(axis.list())));
    });
  }
  return reduce<Position<largest>>(x, axis, keepdims);
}

}  // namespace

Tensor argmax(const Operand& x, const Axes& axis, bool keepdims) { return position<true>(x, axis, keepdims); }

Tensor argmin(const Operand& x, const Axes& axis, bool keepdims) { return position<false>(x, axis, keepdims); }

namespace {

template <Reduction kind>
struct Truth {
  static constexpr std::string_view name = kind == Reduction::all ? "all" : "any";
  static constexpr bool stops_gradient = true;
  AxisRun axes;
  static constexpr auto attributes = fields("axes", &Truth::axes);
  static constexpr bool total = true;
  bool splits_rows(Inputs) const { return axes.first > 0; }

  Spec infer(Inputs in) const {
    if (in[0].dtype() != DType::boolean) {
      raise<DTypeError>(
          name, phrase("it takes boolean tensors, got {}; compare first, as in x != 0", to_string(in[0].dtype())));
    }
    return {axes.without(in[0].shape()), DType::boolean};
  }
  void eval(ConstViews in, Views out) const { eval_reduction(kind, axes, in, out); }
  Tensors vmap(const Node&, const BatchedInputs& in) const { return {apply_op(Truth{axes.behind_samples()}, {in[0]})}; }
};

}  // namespace

Tensor all(const Operand& x, const Axes& axes, bool keepdims) {
  return reduce<Truth<Reduction::all>>(x, axes, keepdims);
}

Tensor any(const Operand& x, const Axes& axes, bool keepdims) {
  return reduce<Truth<Reduction::any>>(x, axes, keepdims);
}

}  // namespace xgrad
