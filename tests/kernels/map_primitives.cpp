#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/array/dtype.hpp"
#include "autograd/runtime/error.hpp"
#include "tests/kernels/naive.hpp"

// Every primitive in every compute type against C's mathematics in long double.

BOOST_AUTO_TEST_SUITE(kernels_map_primitives)

namespace {

using namespace xgrad;
using kernels::Opcode;
using Real = long double;

/// out = code(a, b, c) over whole arrays.
template <class T>
std::vector<T> apply(Opcode code, const std::vector<std::vector<T>>& operands) {
  const auto count = static_cast<std::int64_t>(operands[0].size());
  std::vector<kernels::MapInput> inputs;
  for (const auto& operand : operands) {
    inputs.push_back({operand.data(), dtype_of<T>(), Shape{1}});
  }
  const auto last = static_cast<std::uint16_t>(operands.size());
  const kernels::Instruction instruction{code, last, 0, static_cast<std::uint16_t>(last > 1 ? 1 : 0),
                                         static_cast<std::uint16_t>(last > 2 ? 2 : 0)};
  std::vector<T> out(operands[0].size());
  const kernels::MapOutput output{out.data(), dtype_of<T>(), last};
  kernels::map("test", {&instruction, 1, nullptr, 0, operands.size() + 1, dtype_of<T>(), inputs.data(), inputs.size(),
                        &output, 1, Shape{count}});
  return out;
}

/// Tiny, small, ordinary, large and special numbers of both signs.
template <class T>
std::vector<T> numbers() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> result{0,
                        1,
                        2,
                        3,
                        4,
                        0.5,
                        1.5,
                        2.5,
                        3.5,
                        10,
                        88,
                        89,
                        100,
                        710,
                        1e-3F,
                        1e-8F,
                        1e6F,
                        8388608.5F,
                        Limits::min(),
                        Limits::epsilon(),
                        Limits::max(),
                        Limits::infinity(),
                        Limits::quiet_NaN()};
  for (const T x : naive::random_elements<T>(200, 0, 2)) {
    result.push_back(x);
  }
  for (const T x : naive::random_elements<T>(200, -12, 6, 2)) {
    result.push_back(std::exp2(x));
  }
  const std::size_t count = result.size();
  for (std::size_t i = 0; i < count; ++i) {
    result.push_back(-result[i]);
  }
  return result;
}

struct Unary {
  Opcode code;
  const char* name;
  Real (*exact)(Real);
  double ulps;
};

Real sign(Real x) { return std::isnan(x) ? x : static_cast<Real>((x > 0) - (x < 0)); }
Real sigmoid(Real x) { return 1 / (1 + std::exp(-x)); }
Real relu(Real x) { return std::isnan(x) ? x : std::max<Real>(x, 0); }

const Unary unary_primitives[] = {
    {Opcode::negative, "negative", [](Real x) { return -x; }, 0},
    {Opcode::abs, "abs", [](Real x) { return std::abs(x); }, 0},
    {Opcode::sign, "sign", sign, 0},
    {Opcode::exp, "exp", [](Real x) { return std::exp(x); }, 2},
    {Opcode::expm1, "expm1", [](Real x) { return std::expm1(x); }, 2},
    {Opcode::log, "log", [](Real x) { return std::log(x); }, 2},
    {Opcode::log2, "log2", [](Real x) { return std::log2(x); }, 2},
    {Opcode::log1p, "log1p", [](Real x) { return std::log1p(x); }, 2},
    {Opcode::sqrt, "sqrt", [](Real x) { return std::sqrt(x); }, 0.5},
    {Opcode::cbrt, "cbrt", [](Real x) { return std::cbrt(x); }, 2},
    {Opcode::sin, "sin", [](Real x) { return std::sin(x); }, 4},
    {Opcode::cos, "cos", [](Real x) { return std::cos(x); }, 4},
    {Opcode::tan, "tan", [](Real x) { return std::tan(x); }, 4},
    {Opcode::asin, "asin", [](Real x) { return std::asin(x); }, 4},
    {Opcode::acos, "acos", [](Real x) { return std::acos(x); }, 4},
    {Opcode::atan, "atan", [](Real x) { return std::atan(x); }, 4},
    {Opcode::sinh, "sinh", [](Real x) { return std::sinh(x); }, 4},
    {Opcode::cosh, "cosh", [](Real x) { return std::cosh(x); }, 4},
    {Opcode::tanh, "tanh", [](Real x) { return std::tanh(x); }, 4},
    {Opcode::asinh, "asinh", [](Real x) { return std::asinh(x); }, 4},
    {Opcode::acosh, "acosh", [](Real x) { return std::acosh(x); }, 4},
    {Opcode::atanh, "atanh", [](Real x) { return std::atanh(x); }, 4},
    {Opcode::erf, "erf", [](Real x) { return std::erf(x); }, 4},
    {Opcode::erfc, "erfc", [](Real x) { return std::erfc(x); }, 4.5},
    {Opcode::sigmoid, "sigmoid", sigmoid, 2},
    {Opcode::relu, "relu", relu, 0},
    {Opcode::floor, "floor", [](Real x) { return std::floor(x); }, 0},
    {Opcode::ceil, "ceil", [](Real x) { return std::ceil(x); }, 0},
    {Opcode::round, "round", [](Real x) { return std::nearbyint(x); }, 0},
    {Opcode::trunc, "trunc", [](Real x) { return std::trunc(x); }, 0},
    {Opcode::logical_not, "logical_not", [](Real x) { return static_cast<Real>(x == 0); }, 0},
};

template <class T>
void check_unary_primitives() {
  const std::vector<T> x = numbers<T>();
  for (const Unary& primitive : unary_primitives) {
    const std::vector<T> result = apply<T>(primitive.code, {x});
    double worst = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Real exact = primitive.exact(static_cast<Real>(x[i]));
      const double error = naive::ulp_error(result[i], exact);
      if (error > worst) {
        worst = error;
        at = i;
      }
    }
    BOOST_TEST(worst <= primitive.ulps, primitive.name << "(" << x[at] << ") = " << result[at] << ", not "
                                                       << primitive.exact(static_cast<Real>(x[at])) << ": off by "
                                                       << worst << " ulp");
  }
}

struct Binary {
  Opcode code;
  const char* name;
  Real (*exact)(Real, Real);
  double ulps;
};

Real maximum(Real x, Real y) { return std::isnan(x) ? x : std::isnan(y) ? y : std::max(x, y); }
Real minimum(Real x, Real y) { return std::isnan(x) ? x : std::isnan(y) ? y : std::min(x, y); }
Real remainder_of_floor(Real x, Real y) {
  const Real r = std::fmod(x, y);
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

const Binary binary_primitives[] = {
    {Opcode::add, "add", [](Real x, Real y) { return x + y; }, 0.5},
    {Opcode::subtract, "subtract", [](Real x, Real y) { return x - y; }, 0.5},
    {Opcode::multiply, "multiply", [](Real x, Real y) { return x * y; }, 0.5},
    {Opcode::divide, "divide", [](Real x, Real y) { return x / y; }, 0.5},
    {Opcode::remainder, "remainder", remainder_of_floor, 0.5},
    {Opcode::fmod, "fmod", [](Real x, Real y) { return std::fmod(x, y); }, 0},
    {Opcode::pow, "pow", [](Real x, Real y) { return std::pow(x, y); }, 1},
    {Opcode::maximum, "maximum", maximum, 0},
    {Opcode::minimum, "minimum", minimum, 0},
    {Opcode::atan2, "atan2", [](Real x, Real y) { return std::atan2(x, y); }, 2},
    {Opcode::hypot, "hypot", [](Real x, Real y) { return std::hypot(x, y); }, 1},
    {Opcode::less, "less", [](Real x, Real y) { return static_cast<Real>(x < y); }, 0},
    {Opcode::less_equal, "less_equal", [](Real x, Real y) { return static_cast<Real>(x <= y); }, 0},
    {Opcode::equal, "equal", [](Real x, Real y) { return static_cast<Real>(x == y); }, 0},
    {Opcode::not_equal, "not_equal", [](Real x, Real y) { return static_cast<Real>(x != y); }, 0},
    {Opcode::logical_and, "logical_and", [](Real x, Real y) { return static_cast<Real>(x != 0 && y != 0); }, 0},
    {Opcode::logical_or, "logical_or", [](Real x, Real y) { return static_cast<Real>(x != 0 || y != 0); }, 0},
};

template <class T>
void check_binary_primitives() {
  std::vector<T> x;
  std::vector<T> y;
  const std::vector<T> all = numbers<T>();
  for (std::size_t i = 0; i < all.size(); i += 3) {
    for (std::size_t j = 0; j < all.size(); j += 5) {
      x.push_back(all[i]);
      y.push_back(all[j]);
    }
    x.push_back(all[i]);
    y.push_back(all[i]);
  }
  for (const Binary& primitive : binary_primitives) {
    const std::vector<T> result = apply<T>(primitive.code, {x, y});
    double worst = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double error =
          naive::ulp_error(result[i], primitive.exact(static_cast<Real>(x[i]), static_cast<Real>(y[i])));
      if (error > worst) {
        worst = error;
        at = i;
      }
    }
    BOOST_TEST(worst <= primitive.ulps, primitive.name
                                            << "(" << x[at] << ", " << y[at] << ") = " << result[at] << ", not "
                                            << primitive.exact(static_cast<Real>(x[at]), static_cast<Real>(y[at]))
                                            << ": off by " << worst << " ulp");
  }
}

BOOST_AUTO_TEST_CASE(one_operand_float32) { check_unary_primitives<float>(); }
BOOST_AUTO_TEST_CASE(one_operand_float64) { check_unary_primitives<double>(); }
BOOST_AUTO_TEST_CASE(two_operands_float32) { check_binary_primitives<float>(); }
BOOST_AUTO_TEST_CASE(two_operands_float64) { check_binary_primitives<double>(); }

BOOST_AUTO_TEST_CASE(where_takes_every_number_but_zero_for_true) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> result =
      apply<double>(Opcode::where, {{0, -0.0, 1, -2, nan, 1e-300}, {1, 2, 3, 4, 5, 6}, {-1, -2, -3, -4, -5, -6}});
  const std::vector<double> expected{-1, -2, 3, 4, 5, 6};
  BOOST_TEST(result == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(where_does_not_mix_in_the_branch_not_taken) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> result = apply<float>(Opcode::where, {{1, 0}, {2, nan}, {nan, 3}});
  BOOST_TEST(result[0] == 2.0F);
  BOOST_TEST(result[1] == 3.0F);
}

BOOST_AUTO_TEST_CASE(signs_of_zero) {
  BOOST_TEST(std::signbit(apply<float>(Opcode::negative, {{0}})[0]));
  BOOST_TEST(std::signbit(apply<float>(Opcode::round, {{-0.25F}})[0]));
  BOOST_TEST(std::signbit(apply<float>(Opcode::sqrt, {{-0.0F}})[0]));
  BOOST_TEST(!std::signbit(apply<float>(Opcode::abs, {{-0.0F}})[0]));
}

template <class T>
void check_integers() {
  const T least = std::numeric_limits<T>::min();
  const T most = std::numeric_limits<T>::max();
  const std::vector<T> x{7, -7, 7, -7, 6, 0, least, least, most, 5};
  const std::vector<T> y{3, 3, -3, -3, 3, 5, -1, 1, -1, 5};
  const auto check = [&](Opcode code, const std::vector<T>& expected) {
    const std::vector<T> result = apply<T>(code, {x, y});
    BOOST_TEST(result == expected, "opcode " << static_cast<int>(code));
  };
  check(Opcode::divide, {2, -2, -2, 2, 2, 0, least, least, static_cast<T>(-most), 1});
  check(Opcode::remainder, {1, 2, -2, -1, 0, 0, 0, 0, 0, 0});
  check(Opcode::fmod, {1, -1, 1, -1, 0, 0, 0, 0, 0, 0});
  check(Opcode::add, {10, -4, 4, -10, 9, 5, most, static_cast<T>(least + 1), static_cast<T>(most - 1), 10});
  check(Opcode::subtract, {4, -10, 10, -4, 3, -5, static_cast<T>(least + 1), most, least, 0});
  check(Opcode::multiply, {21, -21, -21, 21, 18, 0, least, least, static_cast<T>(-most), 25});
  check(Opcode::maximum, {7, 3, 7, -3, 6, 5, -1, 1, most, 5});
  check(Opcode::minimum, {3, -7, -3, -7, 3, 0, least, least, -1, 5});
  check(Opcode::less, {0, 1, 0, 1, 0, 1, 1, 1, 0, 0});
  check(Opcode::less_equal, {0, 1, 0, 1, 0, 1, 1, 1, 0, 1});
  check(Opcode::equal, {0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  check(Opcode::not_equal, {1, 1, 1, 1, 1, 1, 1, 1, 1, 0});
  check(Opcode::logical_and, {1, 1, 1, 1, 1, 0, 1, 1, 1, 1});
  check(Opcode::logical_or, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  const std::vector<T> some{3, 0, -3, least};
  const auto check_one = [&](Opcode code, const std::vector<T>& expected) {
    BOOST_TEST(apply<T>(code, {some}) == expected, "opcode " << static_cast<int>(code));
  };
  check_one(Opcode::negative, {-3, 0, 3, least});
  check_one(Opcode::abs, {3, 0, 3, least});
  check_one(Opcode::sign, {1, 0, -1, -1});
  check_one(Opcode::relu, {3, 0, 0, 0});
  check_one(Opcode::logical_not, {0, 1, 0, 0});
  for (const Opcode code : {Opcode::floor, Opcode::ceil, Opcode::round, Opcode::trunc}) {
    check_one(code, some);
  }
  BOOST_TEST((apply<T>(Opcode::where, {{0, 1, -1}, {1, 2, 3}, {4, 5, 6}}) == std::vector<T>{4, 2, 3}));
}

BOOST_AUTO_TEST_CASE(integers) {
  check_integers<std::int32_t>();
  check_integers<std::int64_t>();
}

BOOST_AUTO_TEST_CASE(integer_division_by_zero_throws) {
  BOOST_CHECK_EXCEPTION(
      apply<std::int32_t>(Opcode::divide, {{1, 2, 3}, {1, 0, 1}}), ValueError, [](const Error& error) {
        return std::string(error.what()).find("[test] an integer is divided by zero") != std::string::npos;
      });
  BOOST_CHECK_THROW(apply<std::int64_t>(Opcode::remainder, {{1}, {0}}), ValueError);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
