#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/formula/derivatives.hpp"
#include "autograd/formula/text.hpp"
#include "tests/testing.hpp"

/// \file
/// Simplified derivatives hide no NaN that the chain rule gives.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(formula_honesty)

namespace {

using detail::differentiate;
using detail::PartialProgram;
using kernels::Opcode;
using Real = long double;
using testing::check_elements;

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// A primitive in a type whose range is so wide that nothing here overflows.
Real evaluate(Opcode code, Real a, Real b, Real c) {
  switch (code) {
    case Opcode::negative: return -a;
    case Opcode::abs: return std::fabs(a);
    case Opcode::sign: return a > 0 ? 1 : a < 0 ? -1 : a;
    case Opcode::exp: return std::exp(a);
    case Opcode::log: return std::log(a);
    case Opcode::sqrt: return std::sqrt(a);
    case Opcode::tanh: return std::tanh(a);
    case Opcode::relu: return a < 0 ? 0 : a;
    case Opcode::add: return a + b;
    case Opcode::subtract: return a - b;
    case Opcode::multiply: return a * b;
    case Opcode::divide: return a / b;
    case Opcode::pow: return std::pow(a, b);
    case Opcode::maximum: return std::isnan(a) || a > b ? a : b;
    case Opcode::hypot: return std::hypot(a, b);
    case Opcode::less: return a < b;
    case Opcode::less_equal: return a <= b;
    case Opcode::equal: return a == b;
    case Opcode::logical_and: return a != 0 && b != 0;
    case Opcode::where: return a != 0 ? b : c;
    default: BOOST_FAIL("not among the primitives of this test"); return 0;
  }
}

Real evaluate(const Program& program, const std::vector<Real>& inputs) {
  std::vector<Real> values = inputs;
  values.insert(values.end(), program.constants.begin(), program.constants.end());
  for (const Program::Step& step : program.steps) {
    const auto [a, b, c] = step.operands;
    values.push_back(evaluate(step.code, values[a], values[b], values[c]));
  }
  return values[program.results[0]];
}

class RandomFormulas {
 public:
  Formula next() {
    return Formula([this](Scalar a, Scalar b) {
      std::vector<Scalar> values{a, b};
      const std::size_t steps = 2 + below(7);
      for (std::size_t i = 0; i < steps; ++i) {
        values.push_back(step(values));
      }
      return values.back();
    });
  }
  std::size_t below(std::size_t n) { return engine_() % n; }

 private:
  Scalar operand(const std::vector<Scalar>& values) {
    constexpr std::array constants{0.0, 1.0, -1.0, 2.0, 0.5, 3.0};
    const std::size_t kind = below(8);
    return kind == 0  ? Scalar(constants[below(constants.size())])
           : kind < 5 ? values[values.size() - 1 - below(std::min<std::size_t>(values.size(), 3))]
                      : values[below(values.size())];
  }

  Scalar step(const std::vector<Scalar>& values) {
    const Scalar x = operand(values);
    const Scalar y = operand(values);
    const Scalar z = operand(values);
    switch (below(16)) {
      case 0:
      case 1: return x + y;
      case 2:
      case 3: return x - y;
      case 4:
      case 5:
      case 6: return x * y;
      case 7:
      case 8:
      case 9: return x / y;
      case 10: return exp(x);
      case 11: return log(x);
      case 12: return sqrt(x);
      case 13: return where(x < y, z, x);
      case 14: return below(2) == 0 ? tanh(x) : relu(x);
      default: return below(2) == 0 ? hypot(x, y) : pow(x, 2.5);
    }
  }

  std::mt19937 engine_{11};
};

/// A chain of derivatives, each of the one before, with respect to arguments that are values of the chain: the inputs of the
/// formula, its result, a cotangent, the derivative of that by one of these, another cotangent ...
class Chain {
 public:
  Chain(const Formula& formula, bool simplify) : simplify_(simplify), program_(formula.program()) {
    for (std::size_t i = 0; i < program_.input_count; ++i) {
      names_.push_back(i);
    }
  }

  /// Goes on to the derivative by the value of this name. \return false when that is zero everywhere.
  bool differentiate_by(std::size_t name) {
    const auto input = std::find(names_.begin(), names_.end(), name);
    if (input == names_.end()) {
      return false;
    }
    const std::size_t result = next_name_;
    std::vector<std::size_t> arguments = names_;
    arguments.insert(arguments.end(), {result, result + 1});
    before_.push_back({program_, names_});
    next_name_ += 2;
    const auto derivative = differentiate(program_, static_cast<std::size_t>(input - names_.begin()), simplify_);
    if (!derivative) {
      return false;
    }
    program_ = derivative->program;
    names_.clear();
    for (const std::uint32_t argument : derivative->arguments) {
      names_.push_back(arguments[argument]);
    }
    return true;
  }

  /// The last derivative where the inputs and cotangents are these, by name; the names of results in between do not count.
  Real value(std::vector<Real> values) const {
    std::size_t result = 2;
    for (const auto& [program, names] : before_) {
      values[result] = evaluate(program, at(values, names));
      result += 2;
    }
    return evaluate(program_, at(values, names_));
  }

  const Program& program() const { return program_; }

 private:
  static std::vector<Real> at(const std::vector<Real>& values, const std::vector<std::size_t>& names) {
    std::vector<Real> result;
    for (const std::size_t name : names) {
      result.push_back(values[name]);
    }
    return result;
  }

  bool simplify_;
  Program program_;
  std::vector<std::size_t> names_;  // of the inputs of the program
  std::size_t next_name_ = 2;
  std::vector<std::pair<Program, std::vector<std::size_t>>> before_;
};

BOOST_AUTO_TEST_CASE(random_formulas_at_special_values) {
  RandomFormulas formulas;
  constexpr std::array<Real, 12> special{0, -0.0L, inf, -inf, nan, 1e-100L, -1e100L, 1, -1, 0.5L, 2, -3};
  std::size_t nans = 0;
  std::size_t infinities = 0;
  for (int round = 0; round < 400; ++round) {
    const Formula formula = formulas.next();
    for (int path = 0; path < 4; ++path) {
      Chain plain(formula, false);
      Chain simplified(formula, true);
      std::string way;
      for (std::size_t order = 1; order <= 3; ++order) {
        const std::size_t by = formulas.below(2 * order);  // of the names there are
        way += " " + std::to_string(by);
        if (!plain.differentiate_by(by)) {
          break;
        }
        const bool exists = simplified.differentiate_by(by);
        for (int point = 0; point < 30; ++point) {
          std::vector<Real> values;
          for (std::size_t i = 0; i < 8; ++i) {
            values.push_back(formulas.below(3) == 0 ? special[7 + formulas.below(5)] : special[formulas.below(12)]);
          }
          if (!std::isnan(plain.value(values))) {
            continue;
          }
          const Real value = exists ? simplified.value(values) : 0;
          nans += std::isnan(value);
          infinities += std::isinf(value);
          if (std::isfinite(value)) {
            BOOST_ERROR(to_string(formula) << " by" << way << " is " << value
                                           << " and not NaN: " << detail::to_string(simplified.program())
                                           << " instead of " << detail::to_string(plain.program()));
          }
        }
        if (!exists) {
          break;
        }
      }
    }
  }
  BOOST_TEST(nans > 10000U);
  BOOST_TEST(infinities < nans / 20, infinities << " infinities, " << nans << " NaN");
}

/// Where a formula is NaN, and with it all of its derivatives.
struct Undefined {
  std::string name;
  std::function<Tensor(const Tensor&)> f;
  std::vector<double> x;
};

template <class F>
std::function<Tensor(const Tensor&)> mapped(const F& f) {
  return [f](const Tensor& x) { return map(f, x); };
}

const std::vector<Undefined>& undefined() {
  static const std::vector<Undefined> table = {
      {"s_s_over_s", mapped([](Scalar s) { return s * s / s; }), {0, -0.0, inf, -inf, nan}},
      {"s_over_s", mapped([](Scalar s) { return s / s; }), {0, -0.0, inf, -inf, nan}},
      {"s_times_reciprocal", mapped([](Scalar s) { return s * (1 / s); }), {0, -0.0, inf, -inf, nan}},
      {"cube_over_square", mapped([](Scalar s) { return s * s * s / (s * s); }), {0, -0.0, inf, -inf, nan}},
      {"difference_of_exponentials", mapped([](Scalar s) { return 2 * exp(s) - 3 * exp(s); }), {inf, nan}},
      {"zero_times_logarithm", mapped([](Scalar s) { return log(s) * 0; }), {0, -0.0, nan}},
      {"zero_times_exponential", mapped([](Scalar s) { return 0 * exp(s); }), {inf, nan}},
      {"of_tensors", [](const Tensor& s) { return s * s / s; }, {0, -0.0, inf, -inf, nan}},
  };
  return table;
}

void check_undefined(const Undefined& each) {
  const Tensor x = testing::make_tensor(each.x, {static_cast<std::int64_t>(each.x.size())}, DType::float64);
  const std::vector<double> expected(each.x.size(), nan);
  Tensor y = each.f(x);
  for (int order = 0; order <= 4; ++order) {
    BOOST_TEST_CONTEXT("order " << order) { check_elements(y, x.shape(), expected); }
    y = grad(sum(y), x);
  }
}

const testing::CasePerRow undefined_stays_undefined(undefined(), &Undefined::name, check_undefined);

BOOST_AUTO_TEST_CASE(a_branch_not_taken_gives_exactly_0) {
  const Tensor x = {0.0, -inf, 2.0};
  Tensor y = map([](Scalar a) { return where(a > 0, a * a * a / a, 3.0); }, x);
  for (const std::vector<double>& expected : {std::vector<double>{3, 3, 4}, {0, 0, 4}, {0, 0, 2}, {0, 0, 0}}) {
    check_elements(y, {3}, expected);
    y = grad(sum(y), x);
  }
}

// What divides twice divides once by a square: its derivatives are limits, not 0 times infinity.
BOOST_AUTO_TEST_CASE(quotients_by_powers_have_their_limits) {
  const Tensor x = {0.0, inf, -2.0};
  Tensor y = map([](Scalar a) { return 1 / (a * a); }, x);
  for (const std::vector<double>& expected :
       {std::vector<double>{inf, 0, 0.25}, {-inf, 0, 0.25}, {inf, 0, 6.0 / 16}, {-inf, 0, 24.0 / 32}}) {
    check_elements(y, {3}, expected);
    y = grad(sum(y), x);
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_left_out_of_texts) {
  const auto text = [](const Formula& f) { return to_string(f.partial(0)->formula); };
  BOOST_TEST(text(Formula([](Scalar a) { return a * a / a; })) == "(a, b) -> t0 = a / a; b * (2 * t0 - t0 * t0)");
  BOOST_TEST(text(Formula([](Scalar a, Scalar b) { return b * (2 * a) - b * (3 * a); })) ==
             "(a, b) -> 2 * a * b - 3 * a * b");
  BOOST_TEST(text(Formula([](Scalar a) { return 1 / (a * a); })) == "(a, b) -> -(2 * (b / a) / (a * a))");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace

}  // namespace xgrad
