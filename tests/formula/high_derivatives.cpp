#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/ops/map.hpp"
#include "tests/testing.hpp"

/// \file
/// Derivatives up to the tenth order, against Taylor series, and how large they become.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(formula_high_derivatives)

namespace {

constexpr std::size_t highest = 10;

// The coefficients of a Taylor series around the point: the n-th derivative is n! times the n-th one.
using Series = std::array<long double, highest + 1>;

long double convolution(const Series& a, const Series& b, std::size_t n) {
  long double sum = 0;
  for (std::size_t i = 0; i <= n; ++i) {
    sum += a[i] * b[n - i];
  }
  return sum;
}

// From y(x) and y'(n) = the n-th coefficient of y', which may look at the coefficients of y up to n.
Series integrate(long double start, const std::function<long double(const Series&, std::size_t)>& slope) {
  Series y{start};
  for (std::size_t n = 0; n < highest; ++n) {
    y[n + 1] = slope(y, n) / static_cast<long double>(n + 1);
  }
  return y;
}

// (x + t)ᵖ
Series power(long double x, long double p) {
  return integrate(std::pow(x, p),
                   [=](const Series& y, std::size_t n) { return (p - static_cast<long double>(n)) * y[n] / x; });
}

// 1 / a
Series reciprocal(const Series& a) {
  Series y{1 / a[0]};
  for (std::size_t n = 1; n <= highest; ++n) {
    y[n] = -convolution(a, y, n) / a[0];
  }
  return y;
}

Series exponential(const Series& a) {
  return integrate(std::exp(a[0]), [&](const Series& y, std::size_t n) {
    long double sum = 0;
    for (std::size_t i = 0; i <= n; ++i) {
      sum += static_cast<long double>(i + 1) * a[i + 1] * y[n - i];
    }
    return sum;
  });
}

Series primitive_of(long double start, const Series& slope) {
  return integrate(start, [&](const Series&, std::size_t n) { return slope[n]; });
}

Series sigmoid_series(long double x) {
  return integrate(1 / (1 + std::exp(-x)), [](const Series& y, std::size_t n) { return y[n] - convolution(y, y, n); });
}

Series sine(long double x) {
  Series y{};
  long double factorial = 1;
  for (std::size_t n = 0; n <= highest; ++n) {
    factorial *= n == 0 ? 1 : static_cast<long double>(n);
    y[n] = (n % 2 == 0 ? std::sin(x) : std::cos(x)) * (n % 4 < 2 ? 1 : -1) / factorial;
  }
  return y;
}

// (1 - (x + t)²)⁻¹ᐟ², as u in (1 - x²) u' = x u.
Series slope_of_asin(long double x) {
  return integrate(1 / std::sqrt(1 - x * x), [x](const Series& u, std::size_t n) {
    const long double before = n > 0 ? u[n - 1] : 0;
    const auto order = static_cast<long double>(n);
    return (x * u[n] + before + 2 * x * order * u[n] + (n > 0 ? (order - 1) * before : 0)) / (1 - x * x);
  });
}

struct Case {
  std::string name;
  std::function<Tensor(const Tensor&)> f;
  double x;
  std::function<Series(long double)> series;
  std::size_t most_steps = 80;  ///< of all formulas of the tenth derivative together
};

const std::vector<Case>& table() {
  static const std::vector<Case> cases = {
      {"log", [](const Tensor& x) { return log(x); }, 0.3,
       [](long double x) { return primitive_of(std::log(x), power(x, -1)); }},
      {"reciprocal", [](const Tensor& x) { return 1 / x; }, -0.7,
       [](long double x) {
         return reciprocal({x, 1});
       }},
      {"power", [](const Tensor& x) { return pow(x, 2.5); }, 0.7, [](long double x) { return power(x, 2.5L); }},
      {"negative_power", [](const Tensor& x) { return pow(x, -3); }, 1.2, [](long double x) { return power(x, -3); }},
      {"sqrt", [](const Tensor& x) { return sqrt(x); }, 0.7, [](long double x) { return power(x, 0.5L); }},
      {"cbrt", [](const Tensor& x) { return cbrt(x); }, 0.7, [](long double x) { return power(x, 1 / 3.0L); }},
      {"tanh", [](const Tensor& x) { return tanh(x); }, 0.3,
       [](long double x) {
         return integrate(std::tanh(x),
                          [](const Series& y, std::size_t n) { return (n == 0 ? 1 : 0) - convolution(y, y, n); });
       }},
      {"tan", [](const Tensor& x) { return tan(x); }, 0.3,
       [](long double x) {
         return integrate(std::tan(x),
                          [](const Series& y, std::size_t n) { return (n == 0 ? 1 : 0) + convolution(y, y, n); });
       }},
      {"sigmoid", [](const Tensor& x) { return sigmoid(x); }, 0.3, sigmoid_series},
      {"softplus", [](const Tensor& x) { return softplus(x); }, -0.4,
       [](long double x) { return primitive_of(std::log1p(std::exp(x)), sigmoid_series(x)); }},
      {"atan", [](const Tensor& x) { return atan(x); }, 0.4,
       [](long double x) {
         return primitive_of(std::atan(x), reciprocal({1 + x * x, 2 * x, 1}));
       }},
      {"log1p", [](const Tensor& x) { return log1p(x); }, 0.4,
       [](long double x) {
         return primitive_of(std::log1p(x), reciprocal({1 + x, 1}));
       }},
      {"asin", [](const Tensor& x) { return asin(x); }, 0.3,
       [](long double x) { return primitive_of(std::asin(x), slope_of_asin(x)); }},
      {"erf", [](const Tensor& x) { return erf(x); }, 0.6,
       [](long double x) {
         Series slope = exponential({-x * x, -2 * x, -1});
         for (long double& each : slope) {
           each *= 2 / std::sqrt(std::acos(-1.0L));
         }
         return primitive_of(std::erf(x), slope);
       }},
      {"exp_sin", [](const Tensor& x) { return exp(sin(x)); }, 0.3, [](long double x) { return exponential(sine(x)); },
       30000},
      {"exp_sin_in_one_formula", [](const Tensor& x) { return map([](Scalar a) { return exp(sin(a)); }, x); }, 0.3,
       [](long double x) { return exponential(sine(x)); }, 30000},
      {"gaussian", [](const Tensor& x) { return map([](Scalar a) { return exp(-(a * a)); }, x); }, 0.3,
       [](long double x) {
         return exponential({-x * x, -2 * x, -1});
       },
       30000},
  };
  return cases;
}

std::size_t step_count(const Tensor& y) {
  std::size_t count = 0;
  for (const Node* node : topological_order(std::span(&y, 1)).nodes) {
    const auto* map = node->as<Map>();
    count += map == nullptr ? 0 : map->formula.program().steps.size();
  }
  return count;
}

void check(const Case& each) {
  const Tensor x = each.x;
  const Series expected = each.series(each.x);
  Tensor y = each.f(x);
  double factorial = 1;
  for (std::size_t n = 0; n <= highest; ++n) {
    factorial *= n == 0 ? 1 : static_cast<double>(n);
    BOOST_TEST_CONTEXT("order " << n) {
      BOOST_TEST(y.item() == static_cast<double>(expected[n]) * factorial, boost::test_tools::tolerance(2e-12));
    }
    if (n < highest) {
      y = grad(y, x);
    }
  }
  BOOST_TEST(step_count(y) <= each.most_steps);
}

std::string text_of_partial(const Formula& formula) { return to_string(formula.partial(0)->formula); }

}  // namespace

const testing::CasePerRow cases(table(), &Case::name, check);

BOOST_AUTO_TEST_CASE(like_terms_powers_and_constants_are_collected) {
  BOOST_TEST(text_of_partial(Formula([](Scalar a) { return a * a * a; })) == "(a, b) -> 3 * (a * a) * b");
  BOOST_TEST(text_of_partial(Formula([](Scalar a) { return 2 * a + 3 * a; })) == "(a) -> 5 * a");
  BOOST_TEST(text_of_partial(Formula([](Scalar a) { return (1 - a) * (1 + a); })) == "(a, b) -> -(2 * a * b)");
}

BOOST_AUTO_TEST_CASE(differences_of_inputs_stay_whole) {
  // Near 1 the second derivative of asin, x (1 - x²)⁻³ᐟ², lives on the digits of 1 - x.
  const double x = 1 - 1e-12;
  const long double gap = (1.0L - x) * (1.0L + x);
  const Tensor at = x;
  const double second = grad(grad(asin(at), at), at).item();
  BOOST_TEST(second == static_cast<double>(x / (gap * std::sqrt(gap))), boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(derivatives_overflow_no_sooner_than_their_values) {
  // √(a² + b²) has the second derivatives b² / r³ and -a b / r³.
  const Tensor a = 3e200;
  const double second = grad(grad(hypot(a, 4e200), a), a).item();
  BOOST_TEST(second == 0.64 / 5e200, boost::test_tools::tolerance(1e-14));
  const Tensor b = 4e200;
  const double mixed = grad(grad(hypot(a, b), a), b).item();
  BOOST_TEST(mixed == -0.48 / 5e200, boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(a_branch_not_taken_stays_out_at_every_order) {
  const auto f = [](const Tensor& x) {
    return map([](Scalar a) { return where(a > 0, a * a * log(a), a * a * a); }, x);
  };
  Tensor x = {0.0, -1.0, 2.0};
  Tensor y = f(x);
  const std::vector<std::vector<double>> expected = {
      {0, -1, 4 * std::log(2)}, {0, 3, 4 * std::log(2) + 2}, {0, -6, 2 * std::log(2) + 3}, {6, 6, 1}, {0, 0, -0.5}};
  for (const auto& each : expected) {
    testing::check_elements(y, {3}, each, 1e-14);
    y = grad(sum(y), x);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
