#include <cmath>
#include <numbers>

#include "op_table.hpp"

namespace xgrad::op_table::unary_ops {

namespace {

using Op = Tensor (*)(const Operand&);
using Function = double (*)(double);

struct More {
  Domain domain = {};
  Takes takes = Takes::floating;
  Derivative derivative = Derivative::smooth;
  Result result = Result::same;
  Function on_integers = nullptr;
};

Reference of_each(Function f) {
  return elementwise([f](const std::vector<double>& x) { return f(x[0]); });
}

Row row_of(const char* name, const char* variant, std::function<Tensor(const Tensor&)> op, Function f,
           const More& more = {}) {
  return {name,
          variant,
          [op](const Tensors& x) { return op(x[0]); },
          of_each(f),
          unary_cases(more.domain),
          more.takes,
          more.derivative,
          more.result,
          more.on_integers == nullptr ? Reference() : of_each(more.on_integers)};
}

Row row(const char* name, Op op, Function f, const More& more = {}) {
  return row_of(
      name, "", [op](const Tensor& x) { return op(x); }, f, more);
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }
double log1pexp(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }
double normal_cdf(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

const Domain positive{0.1, 3};
const Domain off_zero{-2, 2, {0}};
const Domain inside_unit{-0.9, 0.9};
const Domain off_integers{-2, 2, {-1.5, -1, -0.5, 0, 0.5, 1, 1.5}};

Rows mathematics() {
  return {
      row("negative", negative, [](double x) { return -x; }, {.takes = Takes::numbers}),
      row("abs", abs, std::fabs, {.domain = off_zero, .takes = Takes::numbers}),
      row("sign", sign, [](double x) { return x > 0   ? 1.0
                                              : x < 0 ? -1.0
                                                      : 0.0; },
          {.domain = off_zero, .takes = Takes::numbers, .derivative = Derivative::zero}),
      row("exp", exp, std::exp),
      row("expm1", expm1, std::expm1),
      row("log", log, std::log, {.domain = positive}),
      row("log1p", log1p, std::log1p, {.domain = {-0.8, 3}}),
      row("log2", log2, std::log2, {.domain = positive}),
      row("sqrt", sqrt, std::sqrt, {.domain = positive}),
      row("rsqrt", rsqrt, [](double x) { return 1 / std::sqrt(x); }, {.domain = positive}),
      row("square", square, [](double x) { return x * x; }, {.takes = Takes::numbers}),
      row("cbrt", cbrt, std::cbrt, {.domain = {-3, 3, {-0.2, -0.1, 0, 0.1, 0.2}}}),
      row("reciprocal", reciprocal, [](double x) { return 1 / x; },
          {.domain = {-3, 3, {-0.2, -0.1, 0, 0.1, 0.2}},
           .takes = Takes::numbers,
           .on_integers = [](double x) { return std::trunc(1 / x); }}),
      row("sin", sin, std::sin),
      row("cos", cos, std::cos),
      row("tan", tan, std::tan, {.domain = {-1.2, 1.2}}),
      row("asin", asin, std::asin, {.domain = inside_unit}),
      row("acos", acos, std::acos, {.domain = inside_unit}),
      row("atan", atan, std::atan),
      row("sinh", sinh, std::sinh),
      row("cosh", cosh, std::cosh),
      row("tanh", tanh, std::tanh),
      row("asinh", asinh, std::asinh),
      row("acosh", acosh, std::acosh, {.domain = {1.2, 4}}),
      row("atanh", atanh, std::atanh, {.domain = inside_unit}),
      row("erf", erf, std::erf),
      row("erfc", erfc, std::erfc),
      row(
          "copysign", [](const Operand& x) { return copysign(x, -2.0); }, [](double x) { return -std::fabs(x); },
          {.domain = off_zero}),
      row("logit", logit, [](double x) { return std::log(x / (1 - x)); }, {.domain = {0.1, 0.9}}),
      row(
          "nan_to_num", [](const Operand& x) { return nan_to_num(x); }, [](double x) { return x; },
          {.takes = Takes::everything}),
      row_of(
          "pow", "2", [](const Tensor& x) { return pow(x, 2); }, [](double x) { return x * x; },
          {.takes = Takes::numbers}),
      row_of(
          "pow", "3", [](const Tensor& x) { return pow(x, 3); }, [](double x) { return x * x * x; },
          {.takes = Takes::numbers}),
      row_of(
          "pow", "half", [](const Tensor& x) { return pow(x, 0.5); }, [](double x) { return std::sqrt(x); },
          {.domain = positive}),
      row_of(
          "pow", "minus_1", [](const Tensor& x) { return pow(x, -1.0); }, [](double x) { return 1 / x; },
          {.domain = positive}),
      row_of(
          "pow", "minus_2", [](const Tensor& x) { return pow(x, -2.0); }, [](double x) { return 1 / (x * x); },
          {.domain = positive}),
      row_of(
          "pow", "5", [](const Tensor& x) { return pow(x, 5); }, [](double x) { return std::pow(x, 5); }),
      row_of(
          "pow", "minus_1_5", [](const Tensor& x) { return pow(x, -1.5); }, [](double x) { return std::pow(x, -1.5); },
          {.domain = {0.3, 3}}),
      row_of(
          "map", "of_one", [](const Tensor& x) { return map([](Scalar a) { return a * tanh(log1p(exp(a))); }, x); },
          [](double x) { return x * std::tanh(log1pexp(x)); }),
      row_of(
          "map", "formula", [](const Tensor& x) { return map(Formula([](Scalar a) { return a * a - a; }), {x}); },
          [](double x) { return x * x - x; }, {.takes = Takes::numbers}),
  };
}

Rows activations() {
  constexpr double selu_alpha = 1.6732632423543772;
  constexpr double selu_scale = 1.0507009873554805;
  return {
      row("sigmoid", sigmoid, logistic),
      row("log_sigmoid", log_sigmoid, [](double x) { return -log1pexp(-x); }),
      row("softplus", softplus, log1pexp),
      row("relu", relu, [](double x) { return std::max(x, 0.0); }, {.domain = off_zero, .takes = Takes::numbers}),
      row_of(
          "leaky_relu", "", [](const Tensor& x) { return leaky_relu(x); },
          [](double x) { return x > 0 ? x : 0.01 * x; }, {.domain = off_zero}),
      row_of(
          "leaky_relu", "0_2", [](const Tensor& x) { return leaky_relu(x, 0.2); },
          [](double x) { return x > 0 ? x : 0.2 * x; }, {.domain = off_zero}),
      row_of(
          "elu", "", [](const Tensor& x) { return elu(x); }, [](double x) { return x > 0 ? x : std::expm1(x); },
          {.domain = off_zero}),
      row_of(
          "elu", "0_7", [](const Tensor& x) { return elu(x, 0.7); },
          [](double x) { return x > 0 ? x : 0.7 * std::expm1(x); }, {.domain = off_zero}),
      row("selu", selu, [](double x) { return selu_scale * (x > 0 ? x : selu_alpha * std::expm1(x)); },
          {.domain = off_zero}),
      row_of(
          "selu", "of_ones_own", [](const Tensor& x) { return selu(x, 1.5, 0.8); },
          [](double x) { return 0.8 * (x > 0 ? x : 1.5 * std::expm1(x)); }, {.domain = off_zero}),
      row_of(
          "celu", "", [](const Tensor& x) { return celu(x); }, [](double x) { return x > 0 ? x : std::expm1(x); },
          {.domain = off_zero}),
      row_of(
          "celu", "0_6", [](const Tensor& x) { return celu(x, 0.6); },
          [](double x) { return std::max(x, 0.0) + std::min(0.0, 0.6 * (std::exp(x / 0.6) - 1)); },
          {.domain = off_zero}),
      row("softsign", softsign, [](double x) { return x / (1 + std::fabs(x)); }, {.domain = {-3, 3, {-1, 0, 1}}}),
      row_of(
          "hard_sigmoid", "", [](const Tensor& x) { return hard_sigmoid(x); },
          [](double x) { return std::min(std::max(x + 3, 0.0), 6.0) / 6; }, {.domain = {-5, 5, {-3, 3}}}),
      row_of(
          "hard_sigmoid", "of_onnx", [](const Tensor& x) { return hard_sigmoid(x, 0.2, 0.5); },
          [](double x) { return std::max(0.0, std::min(1.0, 0.2 * x + 0.5)); }, {.domain = {-5, 5, {-2.5, 2.5}}}),
      row("hard_swish", hard_swish, [](double x) { return x * std::min(std::max(x + 3, 0.0), 6.0) / 6; },
          {.domain = {-5, 5, {-3, 3}}}),
      row_of(
          "thresholded_relu", "", [](const Tensor& x) { return thresholded_relu(x); },
          [](double x) { return x > 1 ? x : 0.0; }, {.domain = {-2, 2, {1}}}),
      row_of(
          "shrink", "", [](const Tensor& x) { return shrink(x); },
          [](double x) { return std::fabs(x) > 0.5 ? x : 0.0; }, {.domain = {-2, 2, {-0.5, 0.5}}}),
      row_of(
          "shrink", "soft", [](const Tensor& x) { return shrink(x, 0.75, 0.75); },
          [](double x) { return std::copysign(std::max(std::fabs(x) - 0.75, 0.0), x); },
          {.domain = {-2, 2, {-0.75, 0.75}}}),
      row_of(
          "gelu", "", [](const Tensor& x) { return gelu(x); }, [](double x) { return x * normal_cdf(x); }),
      row_of(
          "gelu", "tanh", [](const Tensor& x) { return gelu(x, true); },
          [](double x) {
            return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
          }),
      row("silu", silu, [](double x) { return x * logistic(x); }),
      row("mish", mish, [](double x) { return x * std::tanh(log1pexp(x)); }),
      row_of(
          "clip", "", [](const Tensor& x) { return clip(x, -1, 1); },
          [](double x) { return std::min(std::max(x, -1.0), 1.0); },
          {.domain = {-2, 2, {-1, 1}}, .takes = Takes::everything}),
      row_of(
          "clip", "fractional", [](const Tensor& x) { return clip(x, -0.5, 1.25); },
          [](double x) { return std::min(std::max(x, -0.5), 1.25); },
          {.domain = {-2, 2, {-0.5, 1.25}}, .takes = Takes::real}),
  };
}

Rows steps_and_tests() {
  const More step{.domain = off_integers, .takes = Takes::numbers, .derivative = Derivative::zero};
  const More test{.takes = Takes::everything, .derivative = Derivative::zero, .result = Result::boolean};
  const More floating_test{.derivative = Derivative::zero, .result = Result::boolean};
  Rows rows = {
      row("floor", floor, std::floor, step),
      row("ceil", ceil, std::ceil, step),
      row("round", round, std::nearbyint, step),
      row("trunc", trunc, std::trunc, step),
      row(
          "isnan", isnan, [](double) { return 0.0; }, test),
      row(
          "isinf", isinf, [](double) { return 0.0; }, floating_test),
      row(
          "isfinite", isfinite, [](double) { return 1.0; }, floating_test),
      row("logical_not", logical_not, [](double x) { return x == 0 ? 1.0 : 0.0; },
          {.takes = Takes::booleans, .derivative = Derivative::zero, .result = Result::boolean}),
      row("stop_gradient", stop_gradient, [](double x) { return x; },
          {.takes = Takes::everything, .derivative = Derivative::zero}),
      row_of(
          "cast", "int64", [](const Tensor& x) { return cast(x, DType::int64); },
          [](double x) { return std::trunc(x); },
          {.takes = Takes::everything, .derivative = Derivative::zero, .result = Result::int64}),
      row_of(
          "cast", "boolean", [](const Tensor& x) { return cast(x, DType::boolean); },
          [](double x) { return x != 0 ? 1.0 : 0.0; },
          {.takes = Takes::everything, .derivative = Derivative::zero, .result = Result::boolean}),
      row_of(
          "cast", "there_and_back", [](const Tensor& x) { return cast(cast(x, DType::float64), x.dtype()); },
          [](double x) { return x; }, {.takes = Takes::everything}),
  };
  return rows;
}

}  // namespace

Rows rows() {
  Rows rows = mathematics();
  for (const Rows& more : {activations(), steps_and_tests()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace xgrad::op_table::unary_ops
