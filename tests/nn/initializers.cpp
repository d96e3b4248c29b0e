#include "nn/initializers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_initializers)

namespace {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;

constexpr std::int64_t fan_in = 300, fan_out = 500;
constexpr double glorot = 2.0 / (fan_in + fan_out);
constexpr double he = 2.0 / fan_in;
constexpr double lecun = 1.0 / fan_in;

struct Moments {
  double mean = 0, variance = 0, kurtosis = 0, least = 0, largest = 0;
};

Moments measure(const nn::Initializer& initializer, DType dtype = DType::float32) {
  const std::vector<double> w = elements(initializer(random::Key(3), {fan_in, fan_out}, dtype));
  const auto n = static_cast<double>(w.size());
  Moments m;
  m.least = *std::min_element(w.begin(), w.end());
  m.largest = *std::max_element(w.begin(), w.end());
  for (const double x : w) {
    m.mean += x / n;
  }
  for (const double x : w) {
    m.variance += std::pow(x - m.mean, 2) / n;
    m.kurtosis += std::pow(x - m.mean, 4) / n;
  }
  m.kurtosis /= m.variance * m.variance;
  return m;
}

// With n = 150,000 numbers the standard errors are √(variance / n) of the mean and √((kurtosis - 1) / n) of the
// variance, relative to it; five of them are allowed.
void check_moments(const Moments& m, double mean, double variance, double kurtosis) {
  constexpr double n = fan_in * fan_out;
  BOOST_TEST(std::abs(m.mean - mean) < 5 * std::sqrt(variance / n));
  BOOST_TEST(std::abs(m.variance / variance - 1) < 5 * std::sqrt((kurtosis - 1) / n));
  BOOST_TEST(std::abs(m.kurtosis - kurtosis) < 0.07);
}

void check_uniform(const nn::Initializer& initializer, double variance, double mean = 0) {
  const Moments m = measure(initializer);
  check_moments(m, mean, variance, 1.8);
  const double limit = std::sqrt(3 * variance);
  BOOST_TEST(m.largest <= mean + limit * (1 + 1e-7));
  BOOST_TEST(m.largest > mean + 0.999 * limit);
  BOOST_TEST(m.least < mean - 0.999 * limit);
}

void check_normal(const nn::Initializer& initializer, double variance, double mean = 0) {
  const Moments m = measure(initializer);
  check_moments(m, mean, variance, 3);
  BOOST_TEST(m.largest - mean > 3.5 * std::sqrt(variance));
}

/// Moments of a standard normal number between -a and a, by the recursion of its even moments.
Moments truncated_moments(double a) {
  const double density = std::exp(-a * a / 2) / std::sqrt(2 * std::numbers::pi);
  const double mass = std::erf(a / std::numbers::sqrt2);
  Moments m;
  m.variance = 1 - 2 * a * density / mass;
  m.kurtosis = (3 * m.variance - 2 * a * a * a * density / mass) / (m.variance * m.variance);
  return m;
}

/// Every initialiser that looks at fans.
const std::array<nn::Initializer, 7> by_fans = {
    nn::init::glorot_uniform, nn::init::glorot_normal, nn::init::he_uniform,  nn::init::he_normal,
    nn::init::lecun_uniform,  nn::init::lecun_normal,  nn::init::orthogonal()};

}  // namespace

BOOST_AUTO_TEST_CASE(glorot_uniform_range_and_variance) { check_uniform(nn::init::glorot_uniform, glorot); }
BOOST_AUTO_TEST_CASE(glorot_normal_variance) { check_normal(nn::init::glorot_normal, glorot); }
BOOST_AUTO_TEST_CASE(he_uniform_range_and_variance) { check_uniform(nn::init::he_uniform, he); }
BOOST_AUTO_TEST_CASE(he_normal_variance) { check_normal(nn::init::he_normal, he); }
BOOST_AUTO_TEST_CASE(lecun_uniform_range_and_variance) { check_uniform(nn::init::lecun_uniform, lecun); }
BOOST_AUTO_TEST_CASE(lecun_normal_variance) { check_normal(nn::init::lecun_normal, lecun); }

BOOST_AUTO_TEST_CASE(uniform_mean_and_variance) {
  check_uniform(nn::init::uniform(), 1.0 / 12, 0.5);
  check_uniform(nn::init::uniform(-3, 5), 64.0 / 12, 1);
}

BOOST_AUTO_TEST_CASE(normal_mean_and_variance) {
  check_normal(nn::init::normal(), 1);
  check_normal(nn::init::normal(2, 0.5), 0.25, 2);
}

BOOST_AUTO_TEST_CASE(truncated_normal_moments) {
  const Moments two = truncated_moments(2);
  BOOST_TEST(std::abs(two.variance - 0.774) < 5e-4);  // as documented
  const Moments m = measure(nn::init::truncated_normal(), DType::float64);
  check_moments(m, 0, two.variance, two.kurtosis);
  BOOST_TEST((m.least >= -2 && m.largest <= 2 && m.least < -1.999 && m.largest > 1.999));

  const Moments scaled = measure(nn::init::truncated_normal(3, 0.1));
  check_moments(scaled, 3, 0.01 * two.variance, two.kurtosis);

  const Moments wide = measure(nn::init::truncated_normal(0, 1, -6, 6));
  check_moments(wide, 0, 1, 3);
  BOOST_TEST((wide.least < -4 && wide.largest > 4));

  // The mean of a half normal number is √(2/π).
  const Moments half = measure(nn::init::truncated_normal(0, 1, 0, 8));
  BOOST_TEST(std::abs(half.mean - std::sqrt(2 / std::numbers::pi)) <
             5 * std::sqrt((1 - 2 / std::numbers::pi) / 150000));
  BOOST_TEST(half.least >= 0);
}

// Whatever the approximation starts from, the distribution function must be uniform: its quantiles are compared.
BOOST_AUTO_TEST_CASE(truncated_normal_quantiles) {
  std::vector<double> x = elements(nn::init::truncated_normal(0, 1, -4, 4)(random::Key(5), {100000}, DType::float64));
  BOOST_TEST(std::none_of(x.begin(), x.end(), [](double each) { return std::isnan(each); }));
  std::sort(x.begin(), x.end());
  double largest = 0;  // Kolmogorov and Smirnov's distance
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double distribution = 0.5 * (1 + std::erf(x[i] / std::numbers::sqrt2) / std::erf(4 / std::numbers::sqrt2));
    largest = std::max(largest, std::abs(distribution - (static_cast<double>(i) + 0.5) / 1e5));
  }
  BOOST_TEST(largest < 1.95 / std::sqrt(1e5));  // exceeded once in a thousand
}

BOOST_AUTO_TEST_CASE(the_same_everywhere) {
  check_elements(nn::init::zeros(random::Key(1), {2, 2}), {2, 2}, {0, 0, 0, 0});
  check_elements(nn::init::ones(random::Key(1), {3}), {3}, {1, 1, 1});
  check_elements(nn::init::constant(-2.5)(random::Key(1), {2}, DType::float64), {2}, {-2.5, -2.5});
}

BOOST_AUTO_TEST_CASE(orthogonal_columns_or_rows) {
  for (const Shape& shape : {Shape{40, 25}, Shape{25, 40}, Shape{30, 30}, Shape{1, 7}}) {
    const Tensor w = nn::init::orthogonal(2)(random::Key(4), shape, DType::float64);
    BOOST_TEST(to_string(w.shape()) == to_string(shape));
    const Tensor product = shape[0] < shape[1] ? matmul(w, transpose(w)) : matmul(transpose(w), w);
    const std::int64_t n = std::min(shape[0], shape[1]);
    check_elements(product, {n, n}, elements(4 * eye(n, n, DType::float64)), 1e-13);
  }
}

// Without the right signs of R the diagonal of Q would be biased: of a uniformly distributed one it has mean 0.
BOOST_AUTO_TEST_CASE(orthogonal_is_uniformly_distributed) {
  double mean = 0, square = 0;
  constexpr int draws = 4000;
  for (int i = 0; i < draws; ++i) {
    const double first =
        elements(nn::init::orthogonal()(random::Key(0).fold(static_cast<std::uint64_t>(i)), {2, 2}, DType::float64))[0];
    mean += first / draws;
    square += first * first / draws;
  }
  BOOST_TEST(std::abs(mean) < 5 * std::sqrt(0.5 / draws));
  BOOST_TEST(std::abs(square - 0.5) < 5 * std::sqrt(0.125 / draws));  // the variance of cos² is 1/8

  const Moments m = measure(nn::init::orthogonal());
  BOOST_TEST(std::abs(m.mean) < 5 * std::sqrt(1.0 / fan_out / (fan_in * fan_out)));
  BOOST_TEST(std::abs(m.variance * fan_out - 1) < 1e-4);
}

BOOST_AUTO_TEST_CASE(same_key_same_weights) {
  for (const nn::Initializer& initializer : by_fans) {
    const std::vector<double> first = elements(initializer(random::Key(1), {8, 8}, DType::float32));
    BOOST_TEST((elements(initializer(random::Key(1), {8, 8}, DType::float32)) == first));
    BOOST_TEST((elements(initializer(random::Key(2), {8, 8}, DType::float32)) != first));
    for (const DType dtype : {DType::float32, DType::float64}) {
      BOOST_TEST(initializer(random::Key(1), {8, 8}, dtype).dtype() == dtype);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_looks_at_fans_wants_matrices) {
  for (const nn::Initializer& initializer : by_fans) {
    check_throws<ShapeError>([&] { initializer(random::Key(1), {8}, DType::float32); },
                             {"[initializer] ", "(in, out)", "(8,)"});
  }
}

BOOST_AUTO_TEST_CASE(senseless_truncations_are_refused) {
  check_throws<ValueError>([] { nn::init::truncated_normal(0, -1); }, {"[truncated_normal] ", "-1"});
  check_throws<ValueError>([] { nn::init::truncated_normal(0, 1, 2, -2); }, {"low < high", "2 and -2"});
  check_throws<ValueError>([] { nn::init::truncated_normal(0, 1, 30, 40); }, {"30 and 40"});
}

BOOST_AUTO_TEST_SUITE_END()
