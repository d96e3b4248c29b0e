#include <algorithm>
#include <numbers>

#include "autograd/ops/elementwise.hpp"
#include "autograd/ops/ops.hpp"

/// \file
/// Activation functions: each is its formula.

namespace xgrad {

// log(1 + eˣ), from the side on which the exponential is small.
Scalar softplus(Scalar x) { return where(x > 0, x + log1p(exp(-x)), log1p(exp(x))); }

Tensor sigmoid(const Operand& x) {
  return elementwise("sigmoid", {x}, [](Scalar a) { return sigmoid(a); });
}

Tensor log_sigmoid(const Operand& x) {
  return elementwise("log_sigmoid", {x}, [](Scalar a) { return -softplus(-a); });
}

Tensor softplus(const Operand& x) {
  return elementwise("softplus", {x}, [](Scalar a) { return softplus(a); });
}

Tensor relu(const Operand& x) {
  return elementwise("relu", {x}, [](Scalar a) { return relu(a); });
}

Tensor leaky_relu(const Operand& x, double negative_slope) {
  return map(Formula([=](Scalar a) { return where(a > 0, a, negative_slope * a); }, "leaky_relu"), {x});
}

Tensor elu(const Operand& x, double alpha) {
  return map(Formula([=](Scalar a) { return where(a > 0, a, alpha * expm1(a)); }, "elu"), {x});
}

Tensor selu(const Operand& x) {
  constexpr double alpha = 1.6732632423543772848170429916717;
  constexpr double scale = 1.0507009873554804934193349852946;
  return elementwise("selu", {x}, [](Scalar a) { return scale * where(a > 0, a, alpha * expm1(a)); });
}

Tensor gelu(const Operand& x, bool tanh_approximation) {
  using std::numbers::inv_sqrtpi;
  using std::numbers::sqrt2;
  if (tanh_approximation) {
    return elementwise("gelu", {x},
                       [](Scalar a) { return 0.5 * a * (1 + tanh(sqrt2 * inv_sqrtpi * (a + 0.044715 * a * a * a))); });
  }
  return elementwise("gelu", {x}, [](Scalar a) { return 0.5 * a * (1 + erf(a * (1 / sqrt2))); });
}

Tensor silu(const Operand& x) {
  return elementwise("silu", {x}, [](Scalar a) { return a * sigmoid(a); });
}

Tensor mish(const Operand& x) {
  return elementwise("mish", {x}, [](Scalar a) { return a * tanh(softplus(a)); });
}

Tensor clip(const Operand& x, double min, double max) {
  const double lowest = std::min(min, max);
  const auto limit = [=](Scalar a) { return where(a < min, lowest, where(a > max, max, a)); };
  // NaN stays NaN, with derivative 0: it is not within the limits.
  const auto limit_floating = [=](Scalar a) {
    return where(a < min, lowest, where(a > max, max, where(a == a, a, sign(a))));
  };
  const SourceScope scope(x);
  return map(is_floating(x.tensor().dtype()) ? Formula(limit_floating, "clip") : Formula(limit, "clip"), {x});
}

}  // namespace xgrad
