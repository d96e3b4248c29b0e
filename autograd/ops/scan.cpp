
#include "autograd/graph/operation.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/axis_run.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Ops that run along an axis: cumulative sums and products, sorting.

namespace xgrad {

namespace {

AxisRun one_axis(std::string_view op, std::int64_t axis, const Shape& shape) {
  const auto along = static_cast<std::int64_t>(normalize_axis(op, axis, shape.ndim()));
  return {along, along + 1};
}

// Integers are counted in int64, as in sum.
Tensor countable(std::string_view op, const Tensor& x) {
  require_countable(op, x.dtype());
  return is_floating(x.dtype()) ? x : cast(x, DType::int64);
}

struct CumulativeSum {
  static constexpr std::string_view name = "cumsum";
  static constexpr bool linear = true;
  AxisRun axis;
  bool exclusive;
  bool reverse;
  static constexpr auto attributes =
      fields("axis", &CumulativeSum::axis, "exclusive", &CumulativeSum::exclusive, "reverse", &CumulativeSum::reverse);
  static constexpr bool total = true;

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    const auto [outer, n, inner] = axis.extent(in[0].shape());
    kernels::cumulative_sum(in[0].dtype(), in[0].data, out[0].data, outer, n, inner, exclusive, reverse);
  }
  Tensors vjp(const Node&, const Cotangents& ct) const {
    return {apply_op(CumulativeSum{axis, exclusive, !reverse}, {ct[0]})};
  }
  Tensors vmap(const Node&, const BatchedInputs& in) const {
    return {apply_op(CumulativeSum{axis.behind_samples(), exclusive, reverse}, {in[0]})};
  }
};

}  // namespace

Tensor cumsum(const Operand& x, std::int64_t axis) { return cumsum(x, axis, false); }

Tensor cumsum(const Operand& x, std::int64_t axis, bool exclusive, bool reverse) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor input = countable("cumsum", x.tensor());
    return apply_op(CumulativeSum{one_axis("cumsum", axis, input.shape()), exclusive, reverse}, {input});
  });
}

namespace {

// x moved by one along an axis, towards its end or its start; 0 comes in.
Tensor shifted(const Tensor& x, const AxisRun& axis, bool towards_end) {
  const auto along = static_cast<std::size_t>(axis.first);
  const std::int64_t n = x.shape()[along];
  Shape edge = x.shape();
  edge[along] = 1;
  const Tensor zero = zeros(edge, x.dtype());
  const Tensor rest = on_axis(x, along, towards_end ? range(0, n - 1) : range(1));
  return concatenate(towards_end ? Tensors{zero, rest} : Tensors{rest, zero}, axis.first);
}

/// y_k = a_k y_{k-1} + b_k with y_{-1} = 0 (in reverse: from the end). Its cotangents follow a recurrence in the other
/// direction, λ_k = ct_k + a_{k+1} λ_{k+1}, with db = λ and da_k = λ_k y_{k-1}; so derivatives of any order cost O(n).
struct Recurrence {
  static constexpr std::string_view name = "linear_recurrence";
  AxisRun axis;
  bool reverse;
  static constexpr auto attributes = fields("axis", &Recurrence::axis, "reverse", &Recurrence::reverse);
  static constexpr bool total = true;

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    const auto [outer, n, inner] = axis.extent(in[0].shape());
    kernels::linear_recurrence(in[0].dtype(), in[0].data, in[1].data, out[0].data, outer, n, inner, reverse);
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    const Tensor lambda = apply_op(Recurrence{axis, !reverse}, {shifted(node.input(0), axis, reverse), ct[0]});
    return {ct.wanted(0) ? lambda * before(node) : Tensor(), lambda};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    const Tensor by_a = t[0].defined() ? t[0] * before(node) : Tensor();
    const Tensor source = !by_a.defined() ? t[1] : !t[1].defined() ? by_a : by_a + t[1];
    return {apply_op(Recurrence{axis, reverse}, {node.input(0), source})};
  }
  Tensors vmap(const Node& node, const BatchedInputs& in) const {
    return {apply_op(Recurrence{axis.behind_samples(), reverse}, all_batched(node, in))};
  }

 private:
  Tensor before(const Node& node) const { return shifted(node.output(0), axis, !reverse); }
};

}  // namespace

Tensor cumprod(const Operand& x, std::int64_t axis) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor input = countable("cumprod", x.tensor());
    const AxisRun along = one_axis("cumprod", axis, input.shape());
    if (input.size() == 0) {
      return input;
    }
    // The recurrence y_k = x_k y_{k-1}, begun by b = (x_0, 0, 0, ...).
    const auto place = static_cast<std::size_t>(along.first);
    Shape rest = input.shape();
    --rest[place];
    const Tensor begin = concatenate({on_axis(input, place, range(0, 1)), zeros(rest, input.dtype())}, along.first);
    return apply_op(Recurrence{along, false}, {input, begin});
  });
}

namespace {

struct Product {
  static constexpr std::string_view name = "prod";
  AxisRun axes;
  static constexpr auto attributes = fields("axes", &Product::axes);
  static constexpr bool total = true;
  bool splits_rows(Inputs) const { return axes.first > 0; }

  Spec infer(Inputs in) const { return {axes.without(in[0].shape()), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    const auto [outer, n, inner] = axes.extent(in[0].shape());
    kernels::reduce(kernels::Reduction::prod, in[0].dtype(), in[0].data, out[0].data, outer, n, inner);
  }

  // d prod / d x_k: the product of all others, those before it times those after it; right where some x are 0.
  Tensor of_others(const Tensor& x) const {
    Shape edge = x.shape();
    const auto along = static_cast<std::size_t>(axes.first);
    const std::int64_t n = edge[along];
    edge[along] = 1;
    const auto exclusive = [&](const Tensor& t) {
      return concatenate({ones(edge, t.dtype()), on_axis(cumprod(t, axes.first), along, range(0, n - 1))}, axes.first);
    };
    return exclusive(x) * flip(exclusive(flip(x, axes.first)), axes.first);
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    const Tensor& x = node.input(0);
    return {x.size() == 0 ? zeros_like(x) : of_others(x) * reshape(ct[0], axes.with_ones(x.shape()))};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    const Tensor& x = node.input(0);
    return {x.size() == 0 ? Tensor() : sum(of_others(x) * t[0], axes.first)};
  }
  Tensors vmap(const Node&, const BatchedInputs& in) const {
    return {apply_op(Product{axes.behind_samples()}, {in[0]})};
  }
};

}  // namespace

Tensor prod(const Operand& x, const Axes& axes, bool keepdims) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    Tensor result = countable("prod", x.tensor());
    const Ints reduced = reduced_axes("prod", axes, result.ndim());
    Shape kept = result.shape();
    for (std::size_t i = reduced.ndim(); i-- > 0;) {  // from the last: the positions of the others stay
      kept[static_cast<std::size_t>(reduced[i])] = 1;
      result = apply_op(Product{{reduced[i], reduced[i] + 1}}, {result});
    }
    return keepdims ? reshape(result, kept) : result;
  });
}

namespace {

struct ArgSort {
  static constexpr std::string_view name = "argsort";
  static constexpr bool stops_gradient = true;
  AxisRun axis;
  bool descending;
  static constexpr auto attributes = fields("axis", &ArgSort::axis, "descending", &ArgSort::descending);
  static constexpr bool total = true;

  Spec infer(Inputs in) const { return {in[0].shape(), DType::int64}; }
  void eval(ConstViews in, Views out) const {
    const auto [outer, n, inner] = axis.extent(in[0].shape());
    kernels::argsort(in[0].dtype(), in[0].data, out[0].as<std::int64_t>(), outer, n, inner, descending);
  }
  Tensors vmap(const Node&, const BatchedInputs& in) const {
    return {apply_op(ArgSort{axis.behind_samples(), descending}, {in[0]})};
  }
};

/// The first \p count positions of argsort.
struct FirstInOrder {
  static constexpr std::string_view name = "topk";
  static constexpr bool stops_gradient = true;
  AxisRun axis;
  std::int64_t count;
  bool descending;
  static constexpr auto attributes =
      fields("axis", &FirstInOrder::axis, "count", &FirstInOrder::count, "descending", &FirstInOrder::descending);
  static constexpr bool total = true;

  Spec infer(Inputs in) const {
    Shape shape = in[0].shape();
    shape[static_cast<std::size_t>(axis.first)] = count;
    return {shape, DType::int64};
  }
  void eval(ConstViews in, Views out) const {
    const auto [outer, n, inner] = axis.extent(in[0].shape());
    kernels::first_in_order(in[0].dtype(), in[0].data, out[0].as<std::int64_t>(), outer, n, inner, count, descending);
  }
  Tensors vmap(const Node&, const BatchedInputs& in) const {
    return {apply_op(FirstInOrder{axis.behind_samples(), count, descending}, {in[0]})};
  }
};

/// x (transposed: its transpose) with elements at other positions along an axis, at those of the extremes so far.
struct SpreadExtreme {
  static constexpr std::string_view name = "spread_extreme";
  static constexpr bool linear = true;
  static constexpr bool total = true;
  AxisRun axis;
  bool transposed;
  static constexpr auto attributes = fields("axis", &SpreadExtreme::axis, "transposed", &SpreadExtreme::transposed);

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    const auto [outer, n, inner] = axis.extent(in[0].shape());
    kernels::spread_extreme(in[0].dtype(), in[0].data, in[1].as<std::int64_t>(), out[0].data, outer, n, inner,
                            transposed);
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    return {apply_op(SpreadExtreme{axis, !transposed}, {ct[0], node.input(1)}), Tensor()};
  }
  Tensors vmap(const Node& node, const BatchedInputs& in) const {
    return {apply_op(SpreadExtreme{axis.behind_samples(), transposed}, all_batched(node, in))};
  }
};

/// The largest or smallest elements so far, and where they are. The derivative is that of the elements there.
template <bool largest>
struct ExtremesSoFar {
  static constexpr std::string_view name = largest ? "cummax" : "cummin";
  AxisRun axis;
  static constexpr auto attributes = fields("axis", &ExtremesSoFar::axis);
  static constexpr bool total = true;
  static constexpr bool skips_outputs = true;

  Specs infer(Inputs in) const { return {{in[0].shape(), in[0].dtype()}, {in[0].shape(), DType::int64}}; }
  void eval(ConstViews in, Views out) const {
    const auto [outer, n, inner] = axis.extent(in[0].shape());
    auto* positions = out[1].data == nullptr ? nullptr : out[1].as<std::int64_t>();
    kernels::cumulative_extreme(in[0].dtype(), in[0].data, out[0].data, positions, outer, n, inner, largest);
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    return {ct[0].defined() ? apply_op(SpreadExtreme{axis, true}, {ct[0], node.output(1)}) : Tensor()};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    return {apply_op(SpreadExtreme{axis, false}, {t[0], node.output(1)}), Tensor()};
  }
  Tensors vmap(const Node&, const BatchedInputs& in) const {
    return apply_op_all(ExtremesSoFar{axis.behind_samples()}, Tensors{in[0]});
  }
};

template <bool largest>
CumulativeExtreme cumulative_extreme(const Operand& x, std::int64_t axis) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const AxisRun along = one_axis(ExtremesSoFar<largest>::name, axis, input.shape());
    const Tensors outputs = apply_op_all(ExtremesSoFar<largest>{along}, Tensors{input});
    return CumulativeExtreme{outputs[0], outputs[1]};
  });
}

}  // namespace

CumulativeExtreme cummax(const Operand& x, std::int64_t axis) { return cumulative_extreme<true>(x, axis); }

CumulativeExtreme cummin(const Operand& x, std::int64_t axis) { return cumulative_extreme<false>(x, axis); }

Tensor argsort(const Operand& x, std::int64_t axis, bool descending) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor input = x.tensor();
    return apply_op(ArgSort{one_axis("argsort", axis, input.shape()), descending}, {input});
  });
}

Tensor sort(const Operand& x, std::int64_t axis, bool descending) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    one_axis("sort", axis, input.shape());
    return take_along_axis(input, argsort(input, axis, descending), axis);
  });
}

TopK topk(const Operand& x, std::int64_t k, std::int64_t axis, bool largest) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const AxisRun along = one_axis("topk", axis, input.shape());
    const auto place = static_cast<std::size_t>(along.first);
    const std::int64_t n = input.shape()[place];
    if (k < 0 || k > n) {
      raise<ValueError>("topk", phrase("k = {} of an axis of size {}; give one in [0, {}]", k, n, n));
    }
    const bool few = k < n / 16;  // a heap of more takes longer than to sort all of them
    const Tensor indices = few ? apply_op(FirstInOrder{along, k, largest}, {input})
                               : on_axis(argsort(input, along.first, largest), place, range(0, k));
    return TopK{take_along_axis(input, indices, along.first), indices};
  });
}

}  // namespace xgrad
