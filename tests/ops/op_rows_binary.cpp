#include <cmath>

#include "op_table.hpp"

namespace xgrad::op_table::binary_ops {

namespace {

using Op = Tensor (*)(const Operand&, const Operand&);
using Function = double (*)(double, double);

struct More {
  Domain a = {};
  Domain b = {};
  Takes takes = Takes::floating;
  Derivative derivative = Derivative::smooth;
  Result result = Result::same;
  Function on_integers = nullptr;
};

Reference reference(Function f) {
  return elementwise([f](const std::vector<double>& x) { return f(x[0], x[1]); });
}

Row row(const char* name, Op op, Function f, const More& more = {}) {
  return {name,
          "",
          [op](const Tensors& x) { return op(x[0], x[1]); },
          reference(f),
          binary_cases(more.a, more.b),
          more.takes,
          more.derivative,
          more.result,
          more.on_integers == nullptr ? Reference() : reference(more.on_integers)};
}

const Domain off_zero{-2, 2, {-0.2, -0.1, 0, 0.1, 0.2}};
const Domain positive{0.2, 3};

double floored_remainder(double a, double b) { return a - b * std::floor(a / b); }

double log_sum(double a, double b) { return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b))); }

Row with_number(const char* name, const char* variant, std::function<Tensor(const Tensor&)> op,
                std::function<double(double)> f, Takes takes = Takes::numbers) {
  return {name,
          variant,
          [op](const Tensors& x) { return op(x[0]); },
          elementwise([f](const std::vector<double>& x) { return f(x[0]); }),
          unary_cases({0.2, 2}),
          takes};
}

Rows arithmetic() {
  return {
      row("add", add, [](double a, double b) { return a + b; }, {.takes = Takes::numbers}),
      row("subtract", subtract, [](double a, double b) { return a - b; }, {.takes = Takes::numbers}),
      row("multiply", multiply, [](double a, double b) { return a * b; }, {.takes = Takes::numbers}),
      row("divide", divide, [](double a, double b) { return a / b; },
          {.b = off_zero,
           .takes = Takes::numbers,
           .on_integers = [](double a, double b) { return std::trunc(a / b); }}),
      row("pow", pow, std::pow, {.a = positive, .b = {0, 0.6}, .takes = Takes::numbers}),
      row("maximum", maximum, [](double a, double b) { return std::max(a, b); }, {.takes = Takes::numbers}),
      row("minimum", minimum, [](double a, double b) { return std::min(a, b); }, {.takes = Takes::numbers}),
      row("atan2", atan2, std::atan2, {.a = off_zero, .b = off_zero}),
      row("hypot", hypot, std::hypot, {.a = off_zero, .b = off_zero}),
      row("xlogy", xlogy, [](double a, double b) { return a * std::log(b); }, {.b = {0.2, 3}}),
      // Quotients between -0.95 and 0.95, without 0: away from the jumps at whole numbers.
      row("remainder", remainder, floored_remainder, {.a = {-1.8, 1.8, {0}}, .b = {1.9, 3}, .takes = Takes::numbers}),
      row("fmod", fmod, [](double a, double b) { return std::fmod(a, b); },
          {.a = {-1.8, 1.8, {0}}, .b = {1.9, 3}, .takes = Takes::numbers}),
      row("floor_divide", floor_divide, [](double a, double b) { return std::floor(a / b); },
          {.a = {-1.8, 1.8, {0}}, .b = {1.9, 3}, .takes = Takes::numbers, .derivative = Derivative::zero}),
      row("logaddexp", logaddexp, log_sum),
      row("prelu", prelu, [](double a, double b) { return a > 0 ? a : b * a; }, {.a = off_zero}),
      with_number(
          "add", "number", [](const Tensor& x) { return 3 + x; }, [](double x) { return 3 + x; }),
      with_number(
          "subtract", "number", [](const Tensor& x) { return 3 - x; }, [](double x) { return 3 - x; }),
      with_number(
          "multiply", "number", [](const Tensor& x) { return x * 2; }, [](double x) { return x * 2; }),
      with_number(
          "divide", "number", [](const Tensor& x) { return x / 2.5; }, [](double x) { return x / 2.5; },
          Takes::floating),
      with_number(
          "pow", "of_a_number", [](const Tensor& x) { return pow(2.0, x); }, [](double x) { return std::exp2(x); }),
      {"map", "pow", [](const Tensors& x) { return map([](Scalar a, Scalar b) { return pow(a, b); }, x[0], x[1]); },
       elementwise([](const std::vector<double>& x) { return std::pow(x[0], x[1]); }), binary_cases(positive, {-2, 2})},
      {"map",
       "of_three",
       [](const Tensors& x) {
         return map([](Scalar a, Scalar b, Scalar c) { return a * b + sin(c) * a; }, x[0], x[1], x[2]);
       },
       elementwise([](const std::vector<double>& x) { return x[0] * x[1] + std::sin(x[2]) * x[0]; }),
       {{{{3, 4}}, {{4}}, {{3, 1}}}, {{{}}, {{2, 3}}, {{}}}, {{{0, 2}}, {{2}}, {{1, 1}}}}},
  };
}

Rows comparisons() {
  const More comparison{.takes = Takes::everything, .derivative = Derivative::zero, .result = Result::boolean};
  const More logical{.takes = Takes::booleans, .derivative = Derivative::zero, .result = Result::boolean};
  return {
      row(
          "less", less, [](double a, double b) { return a < b ? 1.0 : 0.0; }, comparison),
      row(
          "less_equal", less_equal, [](double a, double b) { return a <= b ? 1.0 : 0.0; }, comparison),
      row(
          "greater", greater, [](double a, double b) { return a > b ? 1.0 : 0.0; }, comparison),
      row(
          "greater_equal", greater_equal, [](double a, double b) { return a >= b ? 1.0 : 0.0; }, comparison),
      row(
          "equal", equal, [](double a, double b) { return a == b ? 1.0 : 0.0; }, comparison),
      row(
          "not_equal", not_equal, [](double a, double b) { return a != b ? 1.0 : 0.0; }, comparison),
      row(
          "logical_and", logical_and, [](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; }, logical),
      row(
          "logical_or", logical_or, [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; }, logical),
  };
}

Row where_row() {
  const auto condition = [](const Shape& shape) { return Input{shape, {}, Role::condition}; };
  return {"where",
          "",
          [](const Tensors& x) { return where(x[0], x[1], x[2]); },
          elementwise([](const std::vector<double>& x) { return x[0] != 0 ? x[1] : x[2]; }),
          {{condition({3, 4}), {{3, 4}}, {{4}}},
           {condition({4, 5}), {{4, 1}}, {{1, 5}}},
           {condition({3}), {{}}, {{3}}},
           {condition({2, 4, 3}), {{2, 1, 3}}, {{4, 1}}},
           {condition({}), {{2}}, {{2}}},
           {condition({0, 3}), {{3}}, {{}}}},
          Takes::everything};
}

}  // namespace

Rows rows() {
  Rows rows = arithmetic();
  const Rows more = comparisons();
  rows.insert(rows.end(), more.begin(), more.end());
  rows.push_back(where_row());
  return rows;
}

}  // namespace xgrad::op_table::binary_ops
