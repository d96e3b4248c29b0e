#include <cmath>
#include <limits>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/elementwise.hpp"
#include "autograd/ops/integer_power.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Elementwise ops: each is its formula. Derivatives of every order follow from it.

namespace xgrad {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

Tensor negative(const Operand& x) {
  return elementwise("negative", {x}, [](Scalar a) { return -a; });
}

Tensor abs(const Operand& x) {
  return elementwise("abs", {x}, [](Scalar a) { return abs(a); });
}

Tensor sign(const Operand& x) {
  return elementwise("sign", {x}, [](Scalar a) { return sign(a); });
}

Tensor exp(const Operand& x) {
  return elementwise("exp", {x}, [](Scalar a) { return exp(a); });
}

Tensor exp2(const Operand& x) {
  return elementwise("exp2", {x}, [](Scalar a) { return exp2(a); });
}

Tensor expm1(const Operand& x) {
  return elementwise("expm1", {x}, [](Scalar a) { return expm1(a); });
}

Tensor log(const Operand& x) {
  return elementwise("log", {x}, [](Scalar a) { return log(a); });
}

Tensor log1p(const Operand& x) {
  return elementwise("log1p", {x}, [](Scalar a) { return log1p(a); });
}

Tensor log2(const Operand& x) {
  return elementwise("log2", {x}, [](Scalar a) { return log2(a); });
}

Tensor log10(const Operand& x) {
  return elementwise("log10", {x}, [](Scalar a) { return log10(a); });
}

Tensor sqrt(const Operand& x) {
  return elementwise("sqrt", {x}, [](Scalar a) { return sqrt(a); });
}

Tensor rsqrt(const Operand& x) {
  return elementwise("rsqrt", {x}, [](Scalar a) { return rsqrt(a); });
}

Tensor square(const Operand& x) {
  return elementwise("square", {x}, [](Scalar a) { return a * a; });
}

Tensor cbrt(const Operand& x) {
  return elementwise("cbrt", {x}, [](Scalar a) { return cbrt(a); });
}

Tensor reciprocal(const Operand& x) {
  return elementwise("reciprocal", {x}, [](Scalar a) { return reciprocal(a); });
}

Tensor sin(const Operand& x) {
  return elementwise("sin", {x}, [](Scalar a) { return sin(a); });
}

Tensor cos(const Operand& x) {
  return elementwise("cos", {x}, [](Scalar a) { return cos(a); });
}

Tensor tan(const Operand& x) {
  return elementwise("tan", {x}, [](Scalar a) { return tan(a); });
}

Tensor asin(const Operand& x) {
  return elementwise("asin", {x}, [](Scalar a) { return asin(a); });
}

Tensor acos(const Operand& x) {
  return elementwise("acos", {x}, [](Scalar a) { return acos(a); });
}

Tensor atan(const Operand& x) {
  return elementwise("atan", {x}, [](Scalar a) { return atan(a); });
}

Tensor sinh(const Operand& x) {
  return elementwise("sinh", {x}, [](Scalar a) { return sinh(a); });
}

Tensor cosh(const Operand& x) {
  return elementwise("cosh", {x}, [](Scalar a) { return cosh(a); });
}

Tensor tanh(const Operand& x) {
  return elementwise("tanh", {x}, [](Scalar a) { return tanh(a); });
}

Tensor asinh(const Operand& x) {
  return elementwise("asinh", {x}, [](Scalar a) { return asinh(a); });
}

Tensor acosh(const Operand& x) {
  return elementwise("acosh", {x}, [](Scalar a) { return acosh(a); });
}

Tensor atanh(const Operand& x) {
  return elementwise("atanh", {x}, [](Scalar a) { return atanh(a); });
}

Tensor erf(const Operand& x) {
  return elementwise("erf", {x}, [](Scalar a) { return erf(a); });
}

Tensor erfc(const Operand& x) {
  return elementwise("erfc", {x}, [](Scalar a) { return erfc(a); });
}

Tensor floor(const Operand& x) {
  return elementwise("floor", {x}, [](Scalar a) { return floor(a); });
}

Tensor ceil(const Operand& x) {
  return elementwise("ceil", {x}, [](Scalar a) { return ceil(a); });
}

Tensor round(const Operand& x) {
  return elementwise("round", {x}, [](Scalar a) { return round(a); });
}

Tensor trunc(const Operand& x) {
  return elementwise("trunc", {x}, [](Scalar a) { return trunc(a); });
}

Tensor nan_to_num(const Operand& x, double nan, std::optional<double> positive_infinity,
                  std::optional<double> negative_infinity) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  if (!is_real(input.dtype())) {
    return input;  // has neither
  }
  const double largest = dispatch(
      input.dtype(), [](auto zero) { return static_cast<double>(std::numeric_limits<decltype(zero)>::max()); });
  const double above = positive_infinity.value_or(largest);
  const double below = negative_infinity.value_or(-largest);
  return map([=](Scalar a) { return where(a != a, nan, where(a == infinity, above, where(a == -infinity, below, a))); },
             input);
}

Tensor logit(const Operand& x) {
  return elementwise("logit", {x}, [](Scalar a) { return log(a) - log1p(-a); });
}

Tensor isnan(const Operand& x) {
  return elementwise("isnan", {x}, [](Scalar a) { return a != a; });
}

Tensor isinf(const Operand& x) {
  return elementwise("isinf", {x}, [](Scalar a) { return abs(a) == infinity; });
}

Tensor isfinite(const Operand& x) {
  return elementwise("isfinite", {x}, [](Scalar a) { return abs(a) < infinity; });
}

Tensor logical_not(const Operand& x) {
  return elementwise("logical_not", {x}, [](Scalar a) { return logical_not(a); });
}

Tensor add(const Operand& a, const Operand& b) {
  return elementwise("add", {a, b}, [](Scalar x, Scalar y) { return x + y; });
}

Tensor subtract(const Operand& a, const Operand& b) {
  return elementwise("subtract", {a, b}, [](Scalar x, Scalar y) { return x - y; });
}

Tensor multiply(const Operand& a, const Operand& b) {
  return elementwise("multiply", {a, b}, [](Scalar x, Scalar y) { return x * y; });
}

Tensor divide(const Operand& a, const Operand& b) {
  return elementwise("divide", {a, b}, [](Scalar x, Scalar y) { return x / y; });
}

namespace {

// A negative power of an integer is not an integer.
void require_integer_power(DType dtype, double exponent) {
  if (exponent < 0 && !is_floating(dtype)) {
    raise<DTypeError>("pow", phrase("a power of {} with the exponent {} is not an integer; cast it first, as in "
                                    "cast(x, DType::float32)",
                                    to_string(dtype), exponent));
  }
}

}  // namespace

Tensor pow(const Operand& a, const Operand& b) {
  if (b.weak()) {  // a known exponent makes a simpler formula: x², 1 / x, √x ...
    located(a.where(), [&] { require_integer_power(a.tensor().dtype(), b.number()); });
    return map(Formula([n = b.number()](Scalar x) { return pow(x, n); }, "pow"), {a});
  }
  if (!is_floating(b.tensor().dtype()) && (a.weak() || !is_floating(a.tensor().dtype()))) {
    return integer_power(a, b);
  }
  return elementwise("pow", {a, b}, [](Scalar x, Scalar y) { return pow(x, y); });
}

Tensor maximum(const Operand& a, const Operand& b) {
  return elementwise("maximum", {a, b}, [](Scalar x, Scalar y) { return maximum(x, y); });
}

Tensor minimum(const Operand& a, const Operand& b) {
  return elementwise("minimum", {a, b}, [](Scalar x, Scalar y) { return minimum(x, y); });
}

Tensor atan2(const Operand& a, const Operand& b) {
  return elementwise("atan2", {a, b}, [](Scalar y, Scalar x) { return atan2(y, x); });
}

Tensor hypot(const Operand& a, const Operand& b) {
  return elementwise("hypot", {a, b}, [](Scalar x, Scalar y) { return hypot(x, y); });
}

Tensor remainder(const Operand& a, const Operand& b) {
  return elementwise("remainder", {a, b}, [](Scalar x, Scalar y) { return remainder(x, y); });
}

Tensor fmod(const Operand& a, const Operand& b) {
  return elementwise("fmod", {a, b}, [](Scalar x, Scalar y) { return fmod(x, y); });
}

Tensor floor_divide(const Operand& a, const Operand& b) {
  const SourceScope scope(a);
  const auto floating = [](const Operand& x) { return x.weak() ? x.weak_floating() : is_floating(x.tensor().dtype()); };
  if (floating(a) || floating(b)) {
    return elementwise("floor_divide", {a, b}, [](Scalar x, Scalar y) { return floor_divide(x, y); });
  }
  // One less than the truncated quotient where there is a remainder of the other sign.
  return elementwise("floor_divide", {a, b},
                     [](Scalar x, Scalar y) { return x / y - where(remainder(x, y) == fmod(x, y), 0, 1); });
}

// The derivative with respect to a is log b at a = 0, too, where that is a number.
Tensor xlogy(const Operand& a, const Operand& b) {
  return elementwise("xlogy", {a, b}, [](Scalar x, Scalar y) {
    return where(logical_and(x == 0, logical_or(y <= 0, y == infinity)), 0, x * log(y));
  });
}

// Only the quotient tells -0 from 0.
Tensor copysign(const Operand& a, const Operand& b) {
  return elementwise("copysign", {a, b},
                     [](Scalar x, Scalar y) { return where(logical_or(y < 0, 1 / y == -infinity), -abs(x), abs(x)); });
}

Tensor logaddexp(const Operand& a, const Operand& b) {
  const auto stable = [](Scalar x, Scalar y) {
    const Scalar equal_infinities = logical_and(x == y, abs(x) == infinity);
    return where(equal_infinities, x, where(x > y, x + log1p(exp(y - x)), y + log1p(exp(x - y))));
  };
  return elementwise("logaddexp", {a, b}, stable);
}

Tensor less(const Operand& a, const Operand& b) {
  return elementwise("less", {a, b}, [](Scalar x, Scalar y) { return x < y; });
}

Tensor less_equal(const Operand& a, const Operand& b) {
  return elementwise("less_equal", {a, b}, [](Scalar x, Scalar y) { return x <= y; });
}

Tensor greater(const Operand& a, const Operand& b) {
  return elementwise("greater", {a, b}, [](Scalar x, Scalar y) { return x > y; });
}

Tensor greater_equal(const Operand& a, const Operand& b) {
  return elementwise("greater_equal", {a, b}, [](Scalar x, Scalar y) { return x >= y; });
}

Tensor equal(const Operand& a, const Operand& b) {
  return elementwise("equal", {a, b}, [](Scalar x, Scalar y) { return x == y; });
}

Tensor not_equal(const Operand& a, const Operand& b) {
  return elementwise("not_equal", {a, b}, [](Scalar x, Scalar y) { return x != y; });
}

Tensor logical_and(const Operand& a, const Operand& b) {
  return elementwise("logical_and", {a, b}, [](Scalar x, Scalar y) { return logical_and(x, y); });
}

Tensor logical_or(const Operand& a, const Operand& b) {
  return elementwise("logical_or", {a, b}, [](Scalar x, Scalar y) { return logical_or(x, y); });
}

Tensor where(const Operand& condition, const Operand& a, const Operand& b) {
  return elementwise("where", {condition, a, b}, [](Scalar c, Scalar x, Scalar y) { return where(c, x, y); });
}

namespace {

/// x, as a constant.
struct StopGradient {
  static constexpr std::string_view name = "stop_gradient";
  static constexpr bool alias = true;
  static constexpr bool stops_gradient = true;
  static constexpr bool maps_leading_axes = true;

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
};

}  // namespace

Tensor stop_gradient(const Operand& x) { return apply_op(StopGradient(), {x.tensor()}, x.where()); }

}  // namespace xgrad
