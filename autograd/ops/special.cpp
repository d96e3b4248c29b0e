#include <cstdint>
#include <numbers>
#include <string_view>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/map.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Functions of statistics that are no formulas of primitives, with their derivatives of every order.

namespace xgrad {

namespace {

Spec infer_floating(std::string_view op, Inputs in) {
  require_floating(op, in[0].dtype());
  return {in[0].shape(), in[0].dtype()};
}

void compute(kernels::Special function, std::int64_t order, ConstViews in, Views out) {
  kernels::special(function, order, in[0].dtype(), in[0].data, out[0].data, in[0].size());
}

/// ψ⁽ⁿ⁾, the n-th derivative of the digamma function, whose derivative is the next one.
struct Polygamma {
  static constexpr std::string_view name = "polygamma";
  static constexpr bool maps_leading_axes = true;
  static constexpr bool total = true;
  std::int64_t order;
  static constexpr auto attributes = fields("order", &Polygamma::order);
  bool splits_rows(Inputs in) const { return in[0].ndim() > 0; }

  Spec infer(Inputs in) const { return infer_floating(name, in); }
  void eval(ConstViews in, Views out) const { compute(kernels::Special::polygamma, order, in, out); }
  Tensor slope(const Node& node) const { return apply_op(Polygamma{order + 1}, {node.input(0)}); }
  Tensors vjp(const Node& node, const Cotangents& ct) const { return {ct[0] * slope(node)}; }
  Tensors jvp(const Node& node, const Tangents& t) const { return {t[0] * slope(node)}; }
};

/// log |Γ|, whose derivative is the digamma function.
struct LogGamma {
  static constexpr std::string_view name = "lgamma";
  static constexpr bool maps_leading_axes = true;
  static constexpr bool total = true;
  bool splits_rows(Inputs in) const { return in[0].ndim() > 0; }

  Spec infer(Inputs in) const { return infer_floating(name, in); }
  void eval(ConstViews in, Views out) const { compute(kernels::Special::lgamma, 0, in, out); }
  Tensor slope(const Node& node) const { return apply_op(Polygamma{0}, {node.input(0)}); }
  Tensors vjp(const Node& node, const Cotangents& ct) const { return {ct[0] * slope(node)}; }
  Tensors jvp(const Node& node, const Tangents& t) const { return {t[0] * slope(node)}; }
};

/// The inverse y of erf: dy / dx = √π / 2 e^(y²).
struct InverseErrorFunction {
  static constexpr std::string_view name = "erfinv";
  static constexpr bool maps_leading_axes = true;
  static constexpr bool total = true;
  bool splits_rows(Inputs in) const { return in[0].ndim() > 0; }

  Spec infer(Inputs in) const { return infer_floating(name, in); }
  void eval(ConstViews in, Views out) const { compute(kernels::Special::erfinv, 0, in, out); }
  Tensor slope(const Node& node) const {
    return map([](Scalar y) { return 0.5 / std::numbers::inv_sqrtpi * exp(y * y); }, node.output(0));
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const { return {ct[0] * slope(node)}; }
  Tensors jvp(const Node& node, const Tangents& t) const { return {t[0] * slope(node)}; }
};

Tensor polygamma_of(std::string_view op, std::int64_t order, const Operand& x) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor input = x.tensor();
    require_floating(op, input.dtype());
    return apply_op(Polygamma{order}, {input});
  });
}

}  // namespace

Tensor erfinv(const Operand& x) { return apply_op(InverseErrorFunction(), {x.tensor()}, x.where()); }

Tensor lgamma(const Operand& x) { return apply_op(LogGamma(), {x.tensor()}, x.where()); }

Tensor digamma(const Operand& x) { return polygamma_of("digamma", 0, x); }

Tensor polygamma(std::int64_t order, const Operand& x) {
  constexpr std::int64_t most = 1000;  // 1000! is a number of long double
  if (order < 0 || order > most) {
    located(x.where(),
            [&] { raise<ValueError>("polygamma", phrase("the order is {}; give one in [0, {}]", order, most)); });
  }
  return polygamma_of("polygamma", order, x);
}

}  // namespace xgrad
