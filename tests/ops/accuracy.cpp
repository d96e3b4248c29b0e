#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <numbers>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"

/// \file
/// docs/numerics.md says how exact the elementary functions are: measured against C's in long double, over the whole range.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_accuracy)

namespace {

using Real = long double;

struct Measured {
  const char* name;
  Tensor (*op)(const Operand&);
  Real (*exact)(Real);
};

Real exact_softplus(Real x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
// 1 - sigmoid(-x) has no digits where sigmoid(x) is small.
Real exact_sigmoid(Real x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }

// By Newton's method, on erf or on erfc, whichever has digits; from Winitzki's approximation, which is right to 0.002.
Real exact_erfinv(Real x) {
  const Real size = std::abs(x);
  if (!(size < 1) || size == 0) {
    return size == 1 ? std::copysign(std::numeric_limits<Real>::infinity(), x) : size == 0 ? x : std::nan("") + 0.0L;
  }
  const Real log = std::log1p(-size * size);
  const Real part = 2 / (std::numbers::pi_v<Real> * 0.147L) + log / 2;
  Real y = size < 1e-6L ? size * std::sqrt(std::numbers::pi_v<Real>) / 2
                        : std::sqrt(std::sqrt(part * part - log / 0.147L) - part);
  for (int i = 0; i < 8; ++i) {
    const Real off = size < 0.5L ? std::erf(y) - size : (1 - size) - std::erfc(y);
    y -= off / (2 * std::numbers::inv_sqrtpi_v<Real> * std::exp(-y * y));
  }
  return std::copysign(y, x);
}

const Measured functions[] = {
    {"exp", exp, std::exp},
    {"exp2", exp2, std::exp2},
    {"expm1", expm1, std::expm1},
    {"log", log, std::log},
    {"log2", log2, std::log2},
    {"log10", log10, std::log10},
    {"log1p", log1p, std::log1p},
    {"sqrt", sqrt, std::sqrt},
    {"rsqrt", rsqrt, [](Real x) { return 1 / std::sqrt(x); }},
    {"cbrt", cbrt, std::cbrt},
    {"sin", sin, std::sin},
    {"cos", cos, std::cos},
    {"tan", tan, std::tan},
    {"asin", asin, std::asin},
    {"acos", acos, std::acos},
    {"atan", atan, std::atan},
    {"sinh", sinh, std::sinh},
    {"cosh", cosh, std::cosh},
    {"tanh", tanh, std::tanh},
    {"asinh", asinh, std::asinh},
    {"acosh", acosh, std::acosh},
    {"atanh", atanh, std::atanh},
    {"erf", erf, std::erf},
    {"erfc", erfc, std::erfc},
    {"erfinv", erfinv, exact_erfinv},
    {"lgamma", lgamma, [](Real x) { return std::lgamma(x); }},
    {"sigmoid", sigmoid, exact_sigmoid},
    {"log_sigmoid", log_sigmoid, [](Real x) { return -exact_softplus(-x); }},
    {"softplus", softplus, exact_softplus},
    {"elu", [](const Operand& x) { return elu(x); }, [](Real x) { return x > 0 ? x : std::expm1(x); }},
};

/// Numbers of every size, some of them special, and those next to multiples of π/2 and to the ends of exp.
template <class T>
const std::vector<T>& numbers() {
  static const std::vector<T> result = [] {
    using Limits = std::numeric_limits<T>;
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    std::vector<T> x = {0,
                        1,
                        8,
                        T(0.5),
                        Limits::min(),
                        Limits::denorm_min(),
                        Limits::max(),
                        Limits::infinity(),
                        Limits::quiet_NaN(),
                        static_cast<T>(-45.553093477052002)};
    std::mt19937_64 engine(1);
    std::uniform_real_distribution<double> unit(-1, 1);
    for (int i = 0; i < 4000; ++i) {
      const auto bits = static_cast<Bits>(engine());
      T each;
      std::memcpy(&each, &bits, sizeof(T));
      x.push_back(each);
      for (const double size : {1.0, 10.0, 100.0, 800.0}) {
        x.push_back(static_cast<T>(size * unit(engine)));
      }
      x.push_back(static_cast<T>(1 + unit(engine) * std::exp2(-20 * std::abs(unit(engine)))));
      x.push_back(std::ldexp(static_cast<T>(unit(engine)), Limits::min_exponent));
      const double quarters = std::floor(unit(engine) * (i % 2 == 0 ? 100 : 1e6));
      x.push_back(static_cast<T>(static_cast<Real>(quarters) * (std::numbers::pi_v<Real> / 2)));
    }
    const std::size_t count = x.size();
    for (std::size_t i = 0; i < count; ++i) {
      x.push_back(-x[i]);
    }
    return x;
  }();
  return result;
}

/// The error in units of the last place of the exact number, those of subnormal numbers included; a zero has the right sign.
template <class T>
double error_of(T result, Real exact) {
  const T rounded = static_cast<T>(exact);
  if (std::isnan(rounded) || std::isnan(result)) {
    return std::isnan(rounded) && std::isnan(result) ? 0 : std::numeric_limits<double>::infinity();
  }
  if (result == rounded) {
    return std::signbit(result) == std::signbit(rounded) ? 0 : std::numeric_limits<double>::infinity();
  }
  const T largest = std::numeric_limits<T>::max();
  if (std::isinf(exact) || std::signbit(result) != std::signbit(rounded)) {
    return std::numeric_limits<double>::infinity();
  }
  const T size = std::min(std::abs(rounded), std::nextafter(largest, T{0}));
  const Real unit = static_cast<Real>(std::nextafter(size, largest)) - size;
  const Real given = std::isinf(result) ? std::copysign(static_cast<Real>(largest) + unit, exact) : result;
  return static_cast<double>(std::abs(given - exact) / unit);
}

template <class T>
Tensor tensor_of(const std::vector<T>& x) {
  Array elements({static_cast<std::int64_t>(x.size())}, dtype_of<T>());
  std::copy(x.begin(), x.end(), elements.template data<T>());
  return Tensor(elements);
}

template <class T>
double worst_error(const Measured& function, T& at) {
  const std::vector<T>& x = numbers<T>();
  const Array y = function.op(tensor_of(x)).array();
  const T* result = y.template data<T>();
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = error_of(result[i], function.exact(static_cast<Real>(x[i])));
    if (error > worst) {
      worst = error;
      at = x[i];
    }
  }
  return worst;
}

struct Bounds {
  double single;
  double twice;
};

/// The rows of the table in the page.
std::map<std::string, Bounds> bounds_of_the_page() {
  std::ifstream page(XGRAD_SOURCE_ROOT "/docs/numerics.md");
  BOOST_REQUIRE(page.good());
  std::map<std::string, Bounds> bounds;
  for (std::string line; std::getline(page, line);) {
    const std::size_t end = line.find("` |");
    if (line.rfind("| `", 0) != 0 || end == std::string::npos) {
      continue;
    }
    std::istringstream numbers(line.substr(end + 3));
    Bounds row{};
    char bar = 0;
    if (numbers >> row.single >> bar >> row.twice) {
      bounds[line.substr(3, end - 3)] = row;
    }
  }
  return bounds;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_page_has_a_bound_for_every_function_and_no_other) {
  const std::map<std::string, Bounds> bounds = bounds_of_the_page();
  BOOST_TEST(bounds.size() == std::size(functions));
  for (const Measured& function : functions) {
    BOOST_TEST(bounds.contains(function.name), function.name);
  }
}

BOOST_AUTO_TEST_CASE(errors_are_within_the_bounds_of_the_page) {
  const std::map<std::string, Bounds> bounds = bounds_of_the_page();
  for (const Measured& function : functions) {
    const auto found = bounds.find(function.name);
    const Bounds bound = found == bounds.end() ? Bounds{} : found->second;
    float single_at = 0;
    double at = 0;
    const double single = worst_error<float>(function, single_at);
    const double twice = worst_error<double>(function, at);
    BOOST_TEST(single <= bound.single, function.name << " in float32 is off by " << single << " ulp at " << single_at);
    BOOST_TEST(twice <= bound.twice, function.name << " in float64 is off by " << twice << " ulp at " << at);
    // the page claims no more than is needed: neither much better nor much worse than what was found
    BOOST_TEST(bound.single <= 2 * single + 1, function.name << " in float32 is better than the page says: " << single);
    BOOST_TEST(bound.twice <= 2 * twice + 1, function.name << " in float64 is better than the page says: " << twice);
  }
}

BOOST_AUTO_TEST_CASE(powers_of_two_have_whole_logarithms) {
  for (int exponent = -1074; exponent < 1024; ++exponent) {
    BOOST_TEST(log2(Tensor{std::ldexp(1.0, exponent)}).item() == exponent);
  }
  for (int exponent = -149; exponent < 128; ++exponent) {
    BOOST_TEST(log2(Tensor{std::ldexp(1.0F, exponent)}).item() == exponent);
  }
}

BOOST_AUTO_TEST_CASE(powers_of_ten_have_whole_logarithms_and_whole_numbers_have_whole_powers) {
  for (int exponent = 0; exponent <= 22; ++exponent) {  // as far as they are exact
    BOOST_TEST(log10(Tensor{std::pow(10.0, exponent)}).item() == exponent);
  }
  for (int exponent = 0; exponent <= 10; ++exponent) {
    BOOST_TEST(log10(Tensor{static_cast<float>(std::pow(10.0, exponent))}).item() == exponent);
  }
  for (int exponent = -1074; exponent < 1024; ++exponent) {
    BOOST_TEST(exp2(Tensor{static_cast<double>(exponent)}).item() == std::ldexp(1.0, exponent));
  }
  for (int exponent = -149; exponent < 128; ++exponent) {
    BOOST_TEST(exp2(Tensor{static_cast<float>(exponent)}).item() == std::ldexp(1.0, exponent));
  }
}

BOOST_AUTO_TEST_CASE(a_value_does_not_depend_on_its_neighbours) {
  for (const Measured& function : functions) {
    for (const float x : {0.3F, -40.0F, 3.0F, 88.5F, 1000.0F}) {
      const double alone = function.op(Tensor{x}).item();
      std::vector<float> many(48, 1e30F);
      many[17] = x;
      const Array among = function.op(tensor_of(many)).array();
      const double there = static_cast<double>(among.data<float>()[17]);
      BOOST_TEST((alone == there || (std::isnan(alone) && std::isnan(there))), function.name << " of " << x);
    }
  }
}

namespace {

double relative(double value, Real exact) { return static_cast<double>(std::abs(value / exact - 1)); }

}  // namespace

// Their exact values are there, but x is squared on the way: an error of x² / 2 ulp and some more follows.
BOOST_AUTO_TEST_CASE(negative_tails_keep_their_digits) {
  for (const double x : {-0.5, -2.0, -5.0, -9.0, -12.0}) {
    const Real normal = x * std::erfc(-static_cast<Real>(x) / std::numbers::sqrt2_v<Real>) / 2;
    const double single = std::numeric_limits<float>::epsilon() * (4 + x * x);
    BOOST_TEST(relative(gelu(Tensor{x}).item(), normal) < 1e-15 * (4 + x * x));
    BOOST_TEST(relative(gelu(Tensor{static_cast<float>(x)}).item(), normal) < single);
    const Real u = std::sqrt(2 / std::numbers::pi_v<Real>) * (x + 0.044715L * x * x * x);
    const Real approximation = x / (1 + std::exp(-2 * u));
    BOOST_TEST(relative(gelu(Tensor{x}, true).item(), approximation) < 1e-15 * (4 + std::abs(2 * u)));
  }
  for (const double x : {-1.0, -20.0, -80.0, -87.0}) {
    const Real exact = x / (1 + std::exp(-static_cast<Real>(x)));
    BOOST_TEST(relative(silu(Tensor{x}).item(), exact) < 1e-15);
    BOOST_TEST(relative(silu(Tensor{static_cast<float>(x)}).item(), exact) < 5e-7);
    const Real smooth = x * std::tanh(exact_softplus(x));
    BOOST_TEST(relative(mish(Tensor{x}).item(), smooth) < 1e-15);
    BOOST_TEST(relative(mish(Tensor{static_cast<float>(x)}).item(), smooth) < 5e-7);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
