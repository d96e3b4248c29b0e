#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/array/dtype.hpp"
#include "tests/kernels/naive.hpp"
#include "tests/runtime/threads.hpp"

BOOST_AUTO_TEST_SUITE(kernels_random)

namespace {

using namespace xgrad;

using Generator = void (*)(DType, std::uint64_t, void*, std::int64_t);

template <class T>
std::vector<T> draw(Generator generator, std::uint64_t key, std::size_t count) {
  std::vector<T> elements(count);
  generator(dtype_of<T>(), key, elements.data(), static_cast<std::int64_t>(count));
  return elements;
}

/// Sample mean of f(x).
template <class T, class F>
double mean_of(const std::vector<T>& x, const F& f) {
  double sum = 0;
  for (const T each : x) {
    sum += f(static_cast<double>(each));
  }
  return sum / static_cast<double>(x.size());
}

/// Largest distance between the empirical and the exact distribution function, times sqrt(n): Kolmogorov's statistic,
/// above 1.95 in one of a thousand samples.
template <class T, class F>
double kolmogorov(std::vector<T> x, const F& distribution) {
  std::sort(x.begin(), x.end());
  const auto n = static_cast<double>(x.size());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = distribution(static_cast<double>(x[i]));
    worst = std::max(
        {worst, std::abs(exact - static_cast<double>(i) / n), std::abs(exact - static_cast<double>(i + 1) / n)});
  }
  return worst * std::sqrt(n);
}

constexpr std::size_t many = 1'000'000;

using Floating = std::tuple<float, double>;

BOOST_AUTO_TEST_CASE_TEMPLATE(uniform_distribution, T, Floating) {
  const auto x = draw<T>(kernels::random_uniform, 42, many);
  BOOST_TEST(*std::min_element(x.begin(), x.end()) >= T{0});
  BOOST_TEST(*std::max_element(x.begin(), x.end()) < T{1});
  BOOST_TEST(kolmogorov(x, [](double v) { return v; }) < 1.95);
  BOOST_TEST(std::abs(mean_of(x, [](double v) { return (v - 0.5) * (v - 0.5); }) - 1.0 / 12) < 4 * 0.0745 / 1000);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(normal_distribution, T, Floating) {
  const auto x = draw<T>(kernels::random_normal, 42, many);
  BOOST_TEST(kolmogorov(x, [](double v) { return std::erfc(-v / std::sqrt(2.0)) / 2; }) < 1.95);
  BOOST_TEST(std::abs(mean_of(x, [](double v) { return v; })) < 4.0 / 1000);
  BOOST_TEST(std::abs(mean_of(x, [](double v) { return v * v; }) - 1) < 4 * std::sqrt(2.0) / 1000);
  BOOST_TEST(std::abs(mean_of(x, [](double v) { return v * v * v * v; }) - 3) < 4 * std::sqrt(96.0) / 1000);
  BOOST_TEST(*std::max_element(x.begin(), x.end()) > T{4});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(neighbours_are_not_correlated, T, Floating) {
  for (const Generator generator : {kernels::random_uniform, kernels::random_normal}) {
    const auto x = draw<T>(generator, 7, many);
    const double mean = mean_of(x, [](double v) { return v; });
    const double variance = mean_of(x, [&](double v) { return (v - mean) * (v - mean); });
    for (const std::size_t lag : {1UL, 2UL, 3UL, 4UL, 128UL}) {
      double sum = 0;
      for (std::size_t i = lag; i < x.size(); ++i) {
        sum += (static_cast<double>(x[i]) - mean) * (static_cast<double>(x[i - lag]) - mean);
      }
      BOOST_TEST(std::abs(sum / static_cast<double>(many) / variance) < 4.0 / 1000, "lag " << lag);
    }
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(elements_depend_on_key_and_position_alone, T, Floating) {
  for (const Generator generator : {kernels::random_uniform, kernels::random_normal}) {
    const auto all = draw<T>(generator, 99, 20'001);
    for (const std::size_t count : {1UL, 2UL, 3UL, 5UL, 4097UL, 20'001UL}) {
      for (const int threads : {1, 3}) {
        const testing::Threads setting(threads);
        const auto some = draw<T>(generator, 99, count);
        BOOST_TEST(std::memcmp(some.data(), all.data(), count * sizeof(T)) == 0);
      }
    }
    BOOST_TEST((draw<T>(generator, 100, 100) != draw<T>(generator, 99, 100)));
  }
}

BOOST_AUTO_TEST_CASE(known_answer) {
  // Philox4x32-10 of counter 0 and key 0, from the authors' test vectors: 6627e8d5 e169c58d bc57ac4c 9b00dbd8.
  const auto x = draw<float>(kernels::random_uniform, 0, 4);
  const std::uint32_t words[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  for (std::size_t i = 0; i < 4; ++i) {
    BOOST_TEST(x[i] == static_cast<float>(words[i] >> 8) / 0x1p24F);
  }
  const auto y = draw<double>(kernels::random_uniform, 0, 1);
  BOOST_TEST(y[0] == static_cast<double>(0x6627e8d5e169c58d >> 11) / 0x1p53);
}

BOOST_AUTO_TEST_CASE(folded_keys_differ) {
  std::set<std::uint64_t> keys;
  for (std::uint64_t key = 0; key < 100; ++key) {
    for (std::uint64_t data = 0; data < 100; ++data) {
      keys.insert(kernels::random_fold(key, data));
    }
  }
  BOOST_TEST(keys.size() == 10'000U);
  BOOST_TEST(kernels::random_fold(5, 6) == kernels::random_fold(5, 6));
  // Half of the bits change when one bit of the data does.
  int changed = 0;
  for (std::uint64_t data = 0; data < 1000; ++data) {
    changed += __builtin_popcountll(kernels::random_fold(1, data) ^ kernels::random_fold(1, data ^ 1));
  }
  BOOST_TEST(std::abs(changed - 32'000) < 4 * 200);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(streams_of_folded_keys_are_independent, T, Floating) {
  const auto x = draw<T>(kernels::random_normal, kernels::random_fold(3, 0), many);
  const auto y = draw<T>(kernels::random_normal, kernels::random_fold(3, 1), many);
  double sum = 0;
  for (std::size_t i = 0; i < many; ++i) {
    sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  }
  BOOST_TEST(std::abs(sum / static_cast<double>(many)) < 4.0 / 1000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
