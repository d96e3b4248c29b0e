#include <algorithm>
#include <cmath>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/formula/builder.hpp"
#include "autograd/formula/derivatives.hpp"
#include "autograd/formula/primitives.hpp"
#include "tests/testing.hpp"

/// \file
/// Programs of many steps are differentiated within a budget of time and of steps.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(formula_long_formulas)

namespace {

/// The results of a program, step by step.
std::vector<double> evaluate(const Program& program, std::vector<double> values) {
  values.insert(values.end(), program.constants.begin(), program.constants.end());
  for (const Program::Step& step : program.steps) {
    const auto [a, b, c] = step.operands;
    values.push_back(detail::primitive(step.code).evaluate(values[a], values[b]));
  }
  std::vector<double> results;
  for (const std::uint32_t result : program.results) {
    results.push_back(values[result]);
  }
  return results;
}

/// Of processor time, which what else the machine does hardly changes. What sanitizers add is taken off again, roughly.
double seconds(const std::function<void()>& work) {
#ifdef __SANITIZE_ADDRESS__
  constexpr double slowdown = 4;
#else
  constexpr double slowdown = 1;
#endif
  const std::clock_t start = std::clock();
  work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / slowdown;
}

/// Some steps of the classical method of Runge and Kutta for s' = f(s), on numbers and on Scalars.
template <class T, class F>
T runge_kutta(const F& f, T s, int steps) {
  const double h = 0.1;
  for (int i = 0; i < steps; ++i) {
    const T k1 = f(s);
    const T k2 = f(s + h / 2 * k1);
    const T k3 = f(s + h / 2 * k2);
    const T k4 = f(s + h * k3);
    s = s + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
  }
  return s;
}

/// A program of about so many steps.
struct Family {
  std::string name;
  std::function<Scalar(Scalar, int)> f;
};

const std::vector<Family>& families() {
  static const std::vector<Family> table = {
      {"cubic_ode", [](Scalar s, int n) { return runge_kutta([](Scalar x) { return x - x * x * x; }, s, n / 25); }},
      {"sines",
       [](Scalar s, int n) {
         for (int i = 0; i < n; ++i) {
           s = sin(s);
         }
         return s;
       }},
      {"horner",
       [](Scalar s, int n) {
         Scalar y = 1;
         for (int i = 0; i < n / 2; ++i) {
           y = y * s + (i % 7 + 0.5);
         }
         return y;
       }},
      {"sum",
       [](Scalar s, int n) {
         Scalar y = 0;
         for (int i = 0; i < n / 3; ++i) {
           y = y + sin(s * (i + 1.5));
         }
         return y;
       }},
      {"mixed",
       [](Scalar s, int n) {
         for (int i = 0; i < n / 7; ++i) {
           s = exp(-(s * s)) / (1 + tanh(s)) + s;
         }
         return s;
       }},
  };
  return table;
}

Program traced(const Family& family, int steps) {
  detail::FormulaBuilder builder;
  const Scalar result = family.f(builder.add_input(), steps);
  return builder.finish(std::span(&result, 1));
}

// The budget is 50 ms for a thousand steps, and grows no faster than they do; the bounds are ten times that.
void check_budget(const Family& family) {
  for (const int steps : {75, 1000, 20'000, 100'000}) {
    const Program program = traced(family, steps);
    std::optional<detail::PartialProgram> partial;
    const double taken = seconds([&] { partial = detail::differentiate(program, 0); });
    BOOST_TEST(taken <= 0.5 * std::max(1.0, steps / 1000.0), steps << " steps took " << taken << " s");
    BOOST_TEST(partial->program.steps.size() <= 6 * program.steps.size());
    detail::DerivativeProgram pulled;
    const double backwards = seconds([&] { pulled = detail::pull_back(program, {true}, {true}); });
    BOOST_TEST(backwards <= 0.5 * std::max(1.0, steps / 1000.0), steps << " steps back took " << backwards << " s");
    BOOST_TEST(pulled.program.steps.size() <= 6 * program.steps.size());
  }
}

const testing::CasePerRow budgets(
    families(), [](const Family& family) { return "budget_of_" + family.name; }, check_budget);

BOOST_AUTO_TEST_CASE(three_steps_of_an_ode_in_one_formula) {
  const auto f = [](auto s) { return s - s * s * s; };
  detail::FormulaBuilder builder;
  const Scalar result = runge_kutta(f, builder.add_input(), 3);
  const Program program = builder.finish(std::span(&result, 1));
  BOOST_TEST(program.steps.size() == 75U);
  const auto partial = detail::differentiate(program, 0);
  BOOST_TEST(!partial->simplified, "there are too many ways to write it");
  const double x = 0.3;
  const double h = 1e-5;
  const double difference = (runge_kutta(f, x + h, 3) - runge_kutta(f, x - h, 3)) / (2 * h);
  const std::vector<double> at{x, evaluate(program, {x})[0], 1};
  std::vector<double> arguments;
  for (const std::uint32_t argument : partial->arguments) {
    arguments.push_back(at[argument]);
  }
  BOOST_TEST(evaluate(partial->program, arguments)[0] == difference, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

}  // namespace xgrad
