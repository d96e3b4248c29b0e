#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string_view>
#include <utility>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/elementwise.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

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

namespace {

// That x is floating, where the formula would take integers as well.
void require_floating_operand(std::string_view op, const Operand& x) {
  located(x.where(), [&] { require_floating(op, x.tensor().dtype()); });
}

}  // namespace

Tensor prelu(const Operand& x, const Operand& slope) {
  require_floating_operand("prelu", x);
  return elementwise("prelu", {x, slope}, [](Scalar a, Scalar s) { return where(a > 0, a, s * a); });
}

namespace {

// alpha (eᵃ - 1) below 0 and a above. At 0 the first derivative is alpha and the second one 0, as in PyTorch.
Scalar elu_of(Scalar a, double alpha) { return where(a < 0, alpha * expm1(a), where(a > 0, a, alpha * a)); }

}  // namespace

Tensor elu(const Operand& x, double alpha) {
  return map(Formula([=](Scalar a) { return elu_of(a, alpha); }, "elu"), {x});
}

Tensor selu(const Operand& x) {
  constexpr double alpha = 1.6732632423543772848170429916717;
  constexpr double scale = 1.0507009873554804934193349852946;
  return elementwise("selu", {x}, [](Scalar a) { return scale * elu_of(a, alpha); });
}

Tensor selu(const Operand& x, double alpha, double gamma) {
  return map(Formula([=](Scalar a) { return gamma * elu_of(a, alpha); }, "selu"), {x});
}

Tensor celu(const Operand& x, double alpha) {
  if (alpha == 0 || std::isnan(alpha)) {
    located(x.where(), [&] { raise<ValueError>("celu", phrase("alpha is {}; give a number other than 0", alpha)); });
  }
  return map(Formula([=](Scalar a) { return where(a < 0, alpha * expm1(a / alpha), a); }, "celu"), {x});
}

// Beyond ±1 as ±1 - 1 / (a ± 1), which knows infinity, and whose derivative keeps its digits.
Tensor softsign(const Operand& x) {
  require_floating_operand("softsign", x);
  return elementwise("softsign", {x}, [](Scalar a) {
    const Scalar far = sign(a);
    return where(abs(a) > 1, far - 1 / (a + far), a / (1 + abs(a)));
  });
}

namespace {

Scalar hard_sigmoid_of(Scalar a, double alpha, double beta) {
  const Scalar line = alpha * a + beta;
  return where(line <= 0, 0, where(line >= 1, 1, line));
}

}  // namespace

Tensor hard_sigmoid(const Operand& x, double alpha, double beta) {
  require_floating_operand("hard_sigmoid", x);
  return map(Formula([=](Scalar a) { return hard_sigmoid_of(a, alpha, beta); }, "hard_sigmoid"), {x});
}

Tensor hard_swish(const Operand& x) {
  return elementwise("hard_swish", {x},
                     [](Scalar a) { return where(a <= -3, 0, where(a >= 3, a, a * (a + 3) * (1.0 / 6))); });
}

// NaN stays NaN.
Tensor thresholded_relu(const Operand& x, double alpha) {
  require_floating_operand("thresholded_relu", x);
  return map(Formula([=](Scalar a) { return where(a <= alpha, 0, a); }, "thresholded_relu"), {x});
}

Tensor shrink(const Operand& x, double lambda, double bias) {
  require_floating_operand("shrink", x);
  if (!(lambda >= 0)) {
    located(x.where(), [&] { raise<ValueError>("shrink", phrase("lambda is {}; give 0 or more", lambda)); });
  }
  const auto shrunk = [=](Scalar a) { return where(abs(a) <= lambda, 0, where(a < 0, a + bias, a - bias)); };
  return map(Formula(shrunk, "shrink"), {x});
}

// Φ(a) is erfc(-a / √2) / 2 and (1 + tanh(u)) / 2 is sigmoid(2 u): so they keep their digits where a is far below 0.
Tensor gelu(const Operand& x, bool tanh_approximation) {
  using std::numbers::inv_sqrtpi;
  using std::numbers::sqrt2;
  if (tanh_approximation) {
    return elementwise("gelu", {x}, [](Scalar a) {
      const Scalar limited =
          where(abs(a) > 30, where(a < 0, -30, 30), a);  // a³ may be too large; the sigmoid is 0 or 1
      return a * sigmoid(2 * sqrt2 * inv_sqrtpi * (limited + 0.044715 * limited * limited * limited));
    });
  }
  return elementwise("gelu", {x}, [](Scalar a) { return 0.5 * a * erfc(a * (-1 / sqrt2)); });
}

Tensor silu(const Operand& x) {
  return elementwise("silu", {x}, [](Scalar a) { return a * sigmoid(a); });
}

Tensor mish(const Operand& x) {
  return elementwise("mish", {x}, [](Scalar a) { return a * tanh(softplus(a)); });
}

namespace {

// Of what is only compared and selected. A limit that numbers of this type cannot reach is none.
Formula clip_of_storage(double min, double max, DType dtype) {
  const auto [least, most] = dispatch(number_dtype(dtype), [](auto zero) {
    using Limits = std::numeric_limits<decltype(zero)>;
    constexpr double infinite = std::numeric_limits<double>::infinity();
    return Limits::has_infinity ? std::pair(-infinite, infinite)
                                : std::pair(static_cast<double>(Limits::lowest()), static_cast<double>(Limits::max()));
  });
  const bool above = min > least;
  const bool below = max < most;
  return Formula(
      [=](Scalar a) {
        const Scalar limited = below ? where(a > max, max, a) : a;
        return above ? where(a < min, std::min(min, max), limited) : limited;
      },
      "clip");
}

}  // namespace

Tensor clip(const Operand& x, double min, double max) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  const DType dtype = input.dtype();
  if (std::isnan(min) || std::isnan(max)) {
    return located(x.where(), [&] {
      if (!is_floating(dtype)) {
        raise<DTypeError>("clip", phrase("{} cannot hold a limit that is NaN; give numbers", to_string(dtype)));
      }
      return map(Formula([](Scalar a) { return a * std::numeric_limits<double>::quiet_NaN(); }, "clip"), {x});
    });
  }
  if (!is_floating(dtype)) {
    return map(clip_of_storage(min, max, dtype), {x});
  }
  const double lowest = std::min(min, max);
  // NaN stays NaN, with derivative 0: it is not within the limits.
  const auto limit = [=](Scalar a) { return where(a < min, lowest, where(a > max, max, where(a == a, a, sign(a)))); };
  return map(Formula(limit, "clip"), {x});
}

}  // namespace xgrad
