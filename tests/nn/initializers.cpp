#include "nn/initializers.hpp"

#include <algorithm>
#include <cmath>

#include <boost/test/unit_test.hpp>

#include "tests/autograd/testing.hpp"

namespace {

using namespace xgrad;
using testing::check_throws;
using testing::elements;

constexpr std::int64_t fan_in = 300, fan_out = 500;
constexpr double glorot = 2.0 / (fan_in + fan_out);
constexpr double he = 2.0 / fan_in;

struct Moments {
  double mean = 0, variance = 0, kurtosis = 0, largest = 0;
};

Moments measure(const nn::Initializer& initializer) {
  const std::vector<double> w = elements(initializer(random::Key(3), {fan_in, fan_out}));
  const auto n = static_cast<double>(w.size());
  Moments m;
  for (const double x : w) {
    m.mean += x / n;
    m.largest = std::max(m.largest, std::abs(x));
  }
  for (const double x : w) {
    m.variance += std::pow(x - m.mean, 2) / n;
    m.kurtosis += std::pow(x - m.mean, 4) / n;
  }
  m.kurtosis /= m.variance * m.variance;
  return m;
}

// With n = 150,000 numbers the standard errors are √(variance / n) of the mean and √((kurtosis - 1) / n) of the variance,
// relative to it; five of them are allowed.
void check_moments(const Moments& m, double variance, double kurtosis) {
  constexpr double n = fan_in * fan_out;
  BOOST_TEST(std::abs(m.mean) < 5 * std::sqrt(variance / n));
  BOOST_TEST(std::abs(m.variance / variance - 1) < 5 * std::sqrt((kurtosis - 1) / n));
  BOOST_TEST(std::abs(m.kurtosis - kurtosis) < 0.07);
}

void check_uniform(const nn::Initializer& initializer, double variance) {
  const Moments m = measure(initializer);
  check_moments(m, variance, 1.8);
  const double limit = std::sqrt(3 * variance);
  BOOST_TEST(m.largest <= limit * (1 + 1e-7));
  BOOST_TEST(m.largest > 0.999 * limit);
}

void check_normal(const nn::Initializer& initializer, double variance) {
  const Moments m = measure(initializer);
  check_moments(m, variance, 3);
  BOOST_TEST(m.largest > 3.5 * std::sqrt(variance));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_initializers)

BOOST_AUTO_TEST_CASE(glorot_uniform_range_and_variance) { check_uniform(nn::glorot_uniform, glorot); }
BOOST_AUTO_TEST_CASE(glorot_normal_variance) { check_normal(nn::glorot_normal, glorot); }
BOOST_AUTO_TEST_CASE(he_uniform_range_and_variance) { check_uniform(nn::he_uniform, he); }
BOOST_AUTO_TEST_CASE(he_normal_variance) { check_normal(nn::he_normal, he); }

BOOST_AUTO_TEST_CASE(same_key_same_weights) {
  for (const auto initializer : {nn::glorot_uniform, nn::glorot_normal, nn::he_uniform, nn::he_normal}) {
    const std::vector<double> first = elements(initializer(random::Key(1), {8, 8}));
    BOOST_TEST((elements(initializer(random::Key(1), {8, 8})) == first));
    BOOST_TEST((elements(initializer(random::Key(2), {8, 8})) != first));
    BOOST_TEST(initializer(random::Key(1), {8, 8}).dtype() == DType::float32);
  }
}

BOOST_AUTO_TEST_CASE(weights_are_matrices) {
  for (const auto initializer : {nn::glorot_uniform, nn::glorot_normal, nn::he_uniform, nn::he_normal}) {
    check_throws<ShapeError>([&] { initializer(random::Key(1), {8}); }, {"[initializer] ", "(in, out)", "(8,)"});
  }
}

BOOST_AUTO_TEST_SUITE_END()
