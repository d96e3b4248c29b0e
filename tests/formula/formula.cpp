#include "autograd/formula/formula.hpp"

#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(formula_formulas)

namespace {

using testing::check_elements;
using testing::check_throws;

/// A formula of one input, and closed forms of it and of its first three derivatives.
struct ClosedForm {
  std::string name;
  Formula formula;
  std::vector<double> points;
  std::function<double(double)> derivatives[4];
};

const std::vector<ClosedForm>& closed_forms() {
  using std::cos, std::cosh, std::exp, std::log, std::pow, std::sin, std::sinh, std::sqrt;
  constexpr double gauss = 2 * std::numbers::inv_sqrtpi;
  const auto zero = [](double) { return 0.0; };
  const auto sech2 = [](double x) { return 1 / (cosh(x) * cosh(x)); };
  const auto s = [](double x) { return 1 / (1 + exp(-x)); };
  const std::vector<double> any = {-1.3, 0.4, 2.1};
  const std::vector<double> positive = {0.3, 1.7};
  const std::vector<double> unit = {-0.6, 0.2};
  static const std::vector<ClosedForm> table = {
      {"negative",
       Formula([](Scalar a) { return -a; }),
       any,
       {std::negate<double>(), [](double) { return -1.0; }, zero, zero}},
      {"abs",
       Formula([](Scalar a) { return abs(a); }),
       any,
       {[](double x) { return std::abs(x); }, [](double x) { return x > 0 ? 1.0 : -1.0; }, zero, zero}},
      {"exp",
       Formula([](Scalar a) { return exp(2 * a); }),
       any,
       {[](double x) { return exp(2 * x); }, [](double x) { return 2 * exp(2 * x); },
        [](double x) { return 4 * exp(2 * x); }, [](double x) { return 8 * exp(2 * x); }}},
      {"exp2",
       Formula([](Scalar a) { return exp2(a); }),
       any,
       {[](double x) { return std::exp2(x); }, [](double x) { return std::numbers::ln2 * std::exp2(x); },
        [](double x) { return std::pow(std::numbers::ln2, 2) * std::exp2(x); },
        [](double x) { return std::pow(std::numbers::ln2, 3) * std::exp2(x); }}},
      {"expm1",
       Formula([](Scalar a) { return expm1(a); }),
       any,
       {[](double x) { return std::expm1(x); }, [](double x) { return exp(x); }, [](double x) { return exp(x); },
        [](double x) { return exp(x); }}},
      {"log",
       Formula([](Scalar a) { return log(a); }),
       positive,
       {[](double x) { return log(x); }, [](double x) { return 1 / x; }, [](double x) { return -1 / (x * x); },
        [](double x) { return 2 / (x * x * x); }}},
      {"log2",
       Formula([](Scalar a) { return log2(a); }),
       positive,
       {[](double x) { return std::log2(x); }, [](double x) { return std::numbers::log2e / x; },
        [](double x) { return -std::numbers::log2e / (x * x); },
        [](double x) { return 2 * std::numbers::log2e / (x * x * x); }}},
      {"log10",
       Formula([](Scalar a) { return log10(a); }),
       positive,
       {[](double x) { return std::log10(x); }, [](double x) { return std::numbers::log10e / x; },
        [](double x) { return -std::numbers::log10e / (x * x); },
        [](double x) { return 2 * std::numbers::log10e / (x * x * x); }}},
      {"log1p",
       Formula([](Scalar a) { return log1p(a); }),
       positive,
       {[](double x) { return std::log1p(x); }, [](double x) { return 1 / (1 + x); },
        [](double x) { return -pow(1 + x, -2); }, [](double x) { return 2 * pow(1 + x, -3); }}},
      {"sqrt",
       Formula([](Scalar a) { return sqrt(a); }),
       positive,
       {[](double x) { return sqrt(x); }, [](double x) { return pow(x, -0.5) / 2; },
        [](double x) { return -pow(x, -1.5) / 4; }, [](double x) { return 3 * pow(x, -2.5) / 8; }}},
      {"rsqrt",
       Formula([](Scalar a) { return rsqrt(a); }),
       positive,
       {[](double x) { return pow(x, -0.5); }, [](double x) { return -pow(x, -1.5) / 2; },
        [](double x) { return 3 * pow(x, -2.5) / 4; }, [](double x) { return -15 * pow(x, -3.5) / 8; }}},
      {"cbrt",
       Formula([](Scalar a) { return cbrt(a); }),
       positive,
       {[](double x) { return std::cbrt(x); }, [](double x) { return pow(x, -2 / 3.0) / 3; },
        [](double x) { return -2 * pow(x, -5 / 3.0) / 9; }, [](double x) { return 10 * pow(x, -8 / 3.0) / 27; }}},
      {"square",
       Formula([](Scalar a) { return square(a) * a; }),
       any,
       {[](double x) { return x * x * x; }, [](double x) { return 3 * x * x; }, [](double x) { return 6 * x; },
        [](double) { return 6.0; }}},
      {"reciprocal",
       Formula([](Scalar a) { return reciprocal(a); }),
       any,
       {[](double x) { return 1 / x; }, [](double x) { return -pow(x, -2); }, [](double x) { return 2 * pow(x, -3); },
        [](double x) { return -6 * pow(x, -4); }}},
      {"sin",
       Formula([](Scalar a) { return sin(a); }),
       any,
       {[](double x) { return sin(x); }, [](double x) { return cos(x); }, [](double x) { return -sin(x); },
        [](double x) { return -cos(x); }}},
      {"cos",
       Formula([](Scalar a) { return cos(a); }),
       any,
       {[](double x) { return cos(x); }, [](double x) { return -sin(x); }, [](double x) { return -cos(x); },
        [](double x) { return sin(x); }}},
      {"tan",
       Formula([](Scalar a) { return tan(a); }),
       unit,
       {[](double x) { return std::tan(x); }, [](double x) { return pow(cos(x), -2); },
        [](double x) { return 2 * sin(x) * pow(cos(x), -3); },
        [](double x) { return 2 * pow(cos(x), -2) + 6 * sin(x) * sin(x) * pow(cos(x), -4); }}},
      {"asin",
       Formula([](Scalar a) { return asin(a); }),
       unit,
       {[](double x) { return std::asin(x); }, [](double x) { return pow(1 - x * x, -0.5); },
        [](double x) { return x * pow(1 - x * x, -1.5); },
        [](double x) { return (1 + 2 * x * x) * pow(1 - x * x, -2.5); }}},
      {"acos",
       Formula([](Scalar a) { return acos(a); }),
       unit,
       {[](double x) { return std::acos(x); }, [](double x) { return -pow(1 - x * x, -0.5); },
        [](double x) { return -x * pow(1 - x * x, -1.5); },
        [](double x) { return -(1 + 2 * x * x) * pow(1 - x * x, -2.5); }}},
      {"atan",
       Formula([](Scalar a) { return atan(a); }),
       any,
       {[](double x) { return std::atan(x); }, [](double x) { return 1 / (1 + x * x); },
        [](double x) { return -2 * x * pow(1 + x * x, -2); },
        [](double x) { return (6 * x * x - 2) * pow(1 + x * x, -3); }}},
      {"sinh",
       Formula([](Scalar a) { return sinh(a); }),
       any,
       {[](double x) { return sinh(x); }, [](double x) { return cosh(x); }, [](double x) { return sinh(x); },
        [](double x) { return cosh(x); }}},
      {"cosh",
       Formula([](Scalar a) { return cosh(a); }),
       any,
       {[](double x) { return cosh(x); }, [](double x) { return sinh(x); }, [](double x) { return cosh(x); },
        [](double x) { return sinh(x); }}},
      {"tanh",
       Formula([](Scalar a) { return tanh(a); }),
       any,
       {[](double x) { return std::tanh(x); }, sech2, [=](double x) { return -2 * std::tanh(x) * sech2(x); },
        [=](double x) { return sech2(x) * (4 - 6 * sech2(x)); }}},
      {"asinh",
       Formula([](Scalar a) { return asinh(a); }),
       any,
       {[](double x) { return std::asinh(x); }, [](double x) { return pow(1 + x * x, -0.5); },
        [](double x) { return -x * pow(1 + x * x, -1.5); },
        [](double x) { return (2 * x * x - 1) * pow(1 + x * x, -2.5); }}},
      {"acosh",
       Formula([](Scalar a) { return acosh(a); }),
       {1.5, 3},
       {[](double x) { return std::acosh(x); }, [](double x) { return pow(x * x - 1, -0.5); },
        [](double x) { return -x * pow(x * x - 1, -1.5); },
        [](double x) { return (2 * x * x + 1) * pow(x * x - 1, -2.5); }}},
      {"atanh",
       Formula([](Scalar a) { return atanh(a); }),
       unit,
       {[](double x) { return std::atanh(x); }, [](double x) { return 1 / (1 - x * x); },
        [](double x) { return 2 * x * pow(1 - x * x, -2); },
        [](double x) { return (2 + 6 * x * x) * pow(1 - x * x, -3); }}},
      {"erf",
       Formula([](Scalar a) { return erf(a); }),
       any,
       {[](double x) { return std::erf(x); }, [=](double x) { return gauss * exp(-x * x); },
        [=](double x) { return -2 * x * gauss * exp(-x * x); },
        [=](double x) { return (4 * x * x - 2) * gauss * exp(-x * x); }}},
      {"sigmoid",
       Formula([](Scalar a) { return sigmoid(a); }),
       any,
       {s, [=](double x) { return s(x) * (1 - s(x)); }, [=](double x) { return s(x) * (1 - s(x)) * (1 - 2 * s(x)); },
        [=](double x) { return s(x) * (1 - s(x)) * (1 - 6 * s(x) + 6 * s(x) * s(x)); }}},
      {"relu",
       Formula([](Scalar a) { return relu(a); }),
       any,
       {[](double x) { return std::max(x, 0.0); }, [](double x) { return x > 0 ? 1.0 : 0.0; }, zero, zero}},
      {"pow",
       Formula([](Scalar a) { return pow(a, 2.5); }),
       positive,
       {[](double x) { return pow(x, 2.5); }, [](double x) { return 2.5 * pow(x, 1.5); },
        [](double x) { return 3.75 * sqrt(x); }, [](double x) { return 1.875 / sqrt(x); }}},
      {"pow_of_itself",
       Formula([](Scalar a) { return pow(a, a); }),
       positive,
       {[](double x) { return pow(x, x); }, [](double x) { return pow(x, x) * (1 + log(x)); },
        [](double x) { return pow(x, x) * ((1 + log(x)) * (1 + log(x)) + 1 / x); },
        [](double x) { return pow(x, x) * (pow(1 + log(x), 3) + 3 * (1 + log(x)) / x - 1 / (x * x)); }}},
      {"arithmetic",
       Formula([](Scalar a) { return (a * a - 3) / (a + 4) + a; }),
       any,
       {[](double x) { return (x * x - 3) / (x + 4) + x; }, [](double x) { return 2 - 13 * pow(x + 4, -2); },
        [](double x) { return 26 * pow(x + 4, -3); }, [](double x) { return -78 * pow(x + 4, -4); }}},
      {"maximum",
       Formula([](Scalar a) { return maximum(a * a, minimum(a, 1)); }),
       {-2, 0.5, 3},
       {[](double x) { return std::max(x * x, std::min(x, 1.0)); }, [](double x) { return x == 0.5 ? 1 : 2 * x; },
        [](double x) { return x == 0.5 ? 0.0 : 2.0; }, zero}},
      {"atan2",
       Formula([](Scalar a) { return atan2(a, 1); }),
       any,
       {[](double x) { return std::atan(x); }, [](double x) { return 1 / (1 + x * x); },
        [](double x) { return -2 * x * pow(1 + x * x, -2); },
        [](double x) { return (6 * x * x - 2) * pow(1 + x * x, -3); }}},
      {"hypot",
       Formula([](Scalar a) { return hypot(1, a); }),
       any,
       {[](double x) { return sqrt(1 + x * x); }, [](double x) { return x * pow(1 + x * x, -0.5); },
        [](double x) { return pow(1 + x * x, -1.5); }, [](double x) { return -3 * x * pow(1 + x * x, -2.5); }}},
      {"remainder",
       Formula([](Scalar a) { return remainder(a * a, 1.5); }),
       any,
       {[](double x) { return x * x - 1.5 * std::floor(x * x / 1.5); }, [](double x) { return 2 * x; },
        [](double) { return 2.0; }, zero}},
      {"steps",
       Formula([](Scalar a) { return floor(a) + 2 * ceil(a) + 3 * round(a) + 4 * trunc(a) + 5 * sign(a) + a; }),
       any,
       {[](double x) {
          return std::floor(x) + 2 * std::ceil(x) + 3 * std::nearbyint(x) + 4 * std::trunc(x) + 5 * (x > 0 ? 1 : -1) +
                 x;
        },
        [](double) { return 1.0; }, zero, zero}},
      {"conditions",
       Formula(
           [](Scalar a) {
             return where(logical_or(logical_and(a > 0, a <= 1), logical_not(a >= -1)), a * a,
                          where(a != 2.1, a, a * a * a));
           }),
       any,
       {[](double x) { return x == 2.1 ? x * x * x : x * x; }, [](double x) { return x == 2.1 ? 3 * x * x : 2 * x; },
        [](double x) { return x == 2.1 ? 6 * x : 2.0; }, [](double x) { return x == 2.1 ? 6.0 : 0.0; }}},
      {"softplus",
       Formula([](Scalar a) { return log1p(exp(-abs(a))) + relu(a); }),
       {-1.3, 0.4},
       {[](double x) { return std::log1p(exp(x)); }, s, [=](double x) { return s(x) * (1 - s(x)); },
        [=](double x) { return s(x) * (1 - s(x)) * (1 - 2 * s(x)); }}},
  };
  return table;
}

void check(const ClosedForm& form) {
  const Tensor x = testing::make_tensor(form.points, {static_cast<std::int64_t>(form.points.size())}, DType::float64);
  Tensor y = map(form.formula, {x});
  for (const auto& closed_form : form.derivatives) {
    std::vector<double> expected;
    for (const double point : form.points) {
      expected.push_back(closed_form(point));
    }
    check_elements(y, x.shape(), expected, 2e-14);
    y = grad(sum(y), x, Unreached::zeros);
  }
}

template <class F>
std::string text(const F& f) {
  return to_string(Formula(f));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(derivatives_to_third_order)
const testing::CasePerRow cases(closed_forms(), &ClosedForm::name, check);
BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(common_subexpressions_are_computed_once) {
  const Formula f([](Scalar a) { return exp(a * a) + exp(a * a); });
  BOOST_TEST(f.program().steps.size() == 3u);
  BOOST_TEST(to_string(f) == "(a) -> t0 = exp(a * a); t0 + t0");
}

BOOST_AUTO_TEST_CASE(constants_are_folded_and_neutral_elements_dropped) {
  BOOST_TEST(text([](Scalar a) { return a * (Scalar(2) + 3); }) == "(a) -> a * 5");
  BOOST_TEST(text([](Scalar a) { return (a + -0.0) * 1 / 1 - 0; }) == "(a) -> a");
  BOOST_TEST(text([](Scalar a) { return a + 0; }) == "(a) -> a + 0", "-0 + 0 is 0");
  BOOST_TEST(text([](Scalar a) { return 0 - a; }) == "(a) -> 0 - a", "0 - 0 is 0");
  BOOST_TEST(text([](Scalar a) { return -(-a); }) == "(a) -> a");
  BOOST_TEST(text([](Scalar a) { return pow(a, 2); }) == "(a) -> a * a");
  BOOST_TEST(text([](Scalar a) { return pow(a, 0.5); }) == "(a) -> where(a == -inf, inf, sqrt(a + 0))");
  BOOST_TEST(text([](Scalar a) { return where(Scalar(1) < 2, a, exp(a)); }) == "(a) -> a");
  BOOST_TEST(text([](Scalar) { return sqrt(Scalar(16)); }) == "(a) -> 4");
  BOOST_TEST(text([](Scalar a) { return a * 0; }) == "(a) -> a * 0", "0 * inf is not 0");
}

BOOST_AUTO_TEST_CASE(text_binds_as_in_cpp) {
  BOOST_TEST(text([](Scalar a, Scalar b) { return a * (1 - b * b); }) == "(a, b) -> a * (1 - b * b)");
  BOOST_TEST(text([](Scalar a, Scalar b, Scalar c) { return a - (b - c); }) == "(a, b, c) -> a - (b - c)");
  BOOST_TEST(text([](Scalar a, Scalar b, Scalar c) { return a - b - c; }) == "(a, b, c) -> a - b - c");
  BOOST_TEST(text([](Scalar a, Scalar b) { return a / (b / a); }) == "(a, b) -> a / (b / a)");
  BOOST_TEST(text([](Scalar a, Scalar b) { return -a * -exp(-b); }) == "(a, b) -> -a * -exp(-b)");
  BOOST_TEST(text([](Scalar a, Scalar b) { return where(a < b, hypot(a, b), -1.5); }) ==
             "(a, b) -> where(a < b, hypot(a, b), -1.5)");
  BOOST_TEST(text([](Scalar a, Scalar b) { return logical_and(a > b, a == b); }) ==
             "(a, b) -> logical_and(b < a, a == b)");
}

BOOST_AUTO_TEST_CASE(mixing_truth_values_and_numbers_is_an_error) {
  check_throws<ValueError>([] { Formula([](Scalar a) { return (a < 1) + a; }); },
                           {"[formula]", "add", "truth value", "where"});
  check_throws<ValueError>([] { Formula([](Scalar a) { return exp(a < 1); }); }, {"exp", "truth value"});
  check_throws<ValueError>([] { Formula([](Scalar a) { return where(a + 1, a, 0); }); },
                           {"where", "number", "compare"});
  check_throws<ValueError>([] { Formula([](Scalar a) { return logical_not(exp(a)); }); }, {"logical_not", "number"});
  check_throws<ValueError>([] { Formula([](Scalar a, Scalar b) { return where(a, a + b, b); }); }, {"number"});
  check_throws<ValueError>([] { Formula([](Scalar a) { return where(a > 0, a > 1, a); }); }, {"where"});
}

BOOST_AUTO_TEST_CASE(a_scalar_belongs_to_one_formula) {
  Scalar kept = 0;
  const Formula first([&](Scalar a) { return kept = a * 2; });
  check_throws<ValueError>([&] { Formula([&](Scalar a) { return a + kept; }); }, {"different formulas"});
  check_throws<ValueError>([&] { Formula([&](Scalar) { return kept; }); }, {"different formulas"});
  check_throws<ValueError>([&] { exp(kept); }, {"different formulas"});
  const auto line = std::to_string(__LINE__ + 1);
  check_throws<ValueError>([&] { map([&](Scalar a) { return a + kept; }, ones({2})); }, {"formula.cpp:" + line});
  check_throws<ValueError>(
      [&] {
        Formula([&](Scalar a) {
          const Formula inner([&](Scalar b) { return a * b; });
          return a;
        });
      },
      {"different formulas"});
}

BOOST_AUTO_TEST_CASE(another_number_of_operands_is_an_error) {
  const Formula product([](Scalar a, Scalar b) { return a * b; }, "product");
  check_throws<ValueError>([&] { map(product, {ones({2})}); }, {"[product]", "2 operands, got 1", "formula.cpp:"});
  check_throws<ValueError>([&] { map(product, {}); }, {"[product]", "2 operands, got 0"});
}

BOOST_AUTO_TEST_CASE(captured_numbers_are_constants) {
  const Tensor x = {1.0, 2.0};
  for (const double factor : {2.0, 3.0}) {
    const Tensor y = map([factor](Scalar a) { return factor * a * a; }, x);
    check_elements(y, {2}, {factor, 4 * factor});
    check_elements(grad(sum(y), x), {2}, {2 * factor, 4 * factor});
  }
}

BOOST_AUTO_TEST_CASE(equal_formulas_are_one) {
  const auto make = [](double factor) { return Formula([=](Scalar a) { return factor * a; }); };
  BOOST_TEST((make(2) == make(2)));
  BOOST_TEST(!(make(2) == make(3)));
  BOOST_TEST(!(Formula([](Scalar a) { return a; }, "one") == Formula([](Scalar a) { return a; }, "two")));
}

BOOST_AUTO_TEST_CASE(eight_inputs) {
  const auto f = [](Scalar a, Scalar b, Scalar c, Scalar d, Scalar e, Scalar g, Scalar h, Scalar i) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * g + 7 * h + 8 * i;
  };
  const Tensor x = {1.0};
  check_elements(map(f, x, x, x, x, x, x, x, x), {1}, {36});
  check_elements(grad(sum(map(f, x, 1, 1, x, 1, 1, 1, x)), x), {1}, {13});
}

BOOST_AUTO_TEST_CASE(logical_formulas_take_boolean_tensors) {
  const auto implies = [](Scalar p, Scalar q) { return logical_or(logical_not(p), q); };
  const Tensor result = map(implies, Tensor{true, true, false}, Tensor{true, false, false});
  BOOST_TEST(result.dtype() == DType::boolean);
  check_elements(result, {3}, {1, 0, 1});
  const auto choose = [](Scalar p, Scalar q, Scalar r) { return where(p, logical_not(q), r); };
  check_elements(map(choose, Tensor{true, false}, Tensor{true, true}, Tensor{false, true}), {2}, {0, 1});
  const auto unless = [](Scalar p, Scalar a) { return logical_and(where(p, a > 0, true), p); };
  check_elements(map(unless, Tensor{true, false}, Tensor{1.0, 1.0}), {2}, {1, 0});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
