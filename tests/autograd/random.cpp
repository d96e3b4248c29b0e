#include "autograd/random.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "testing.hpp"

namespace xgrad {

namespace {

using random::Key;
using testing::elements;

constexpr std::int64_t count = 1000000;

double mean_of(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

// The mean of (x - m)ⁿ.
double moment(const std::vector<double>& x, double m, int n) {
  double sum = 0;
  for (const double each : x) {
    sum += std::pow(each - m, n);
  }
  return sum / static_cast<double>(x.size());
}

double correlation(const std::vector<double>& x, const std::vector<double>& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += x[i] * y[i];
  }
  return sum / static_cast<double>(x.size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(autograd_random)

BOOST_AUTO_TEST_CASE(numbers_follow_from_the_key_alone) {
  const Key key(42);
  const std::vector<double> first = elements(random::normal(key, {100}));
  random::normal(Key(1), {50}).array();
  BOOST_TEST(elements(random::normal(key, {100})) == first);
  BOOST_TEST(elements(random::normal(key, {10, 10})) == first);
  BOOST_TEST(elements(random::normal(Key(43), {100})) != first);
  BOOST_TEST(elements(random::uniform(key, {100})) != first);
  BOOST_TEST(Key(42).state() == key.state());
}

BOOST_AUTO_TEST_CASE(folded_keys_are_independent) {
  const Key key(7);
  std::set<std::uint64_t> states = {key.state()};
  for (std::uint64_t i = 0; i < 100; ++i) {
    states.insert(key.fold(i).state());
    states.insert(key.fold(i).fold(i).state());
    states.insert(Key(i).fold(7).state());
  }
  BOOST_TEST(states.size() == 300u);  // key.fold(7) and Key(7).fold(7) are the same
  BOOST_TEST(key.fold(3).state() == key.fold(3).state());
  BOOST_TEST(key.fold(1).fold(2).state() != key.fold(2).fold(1).state());
  const std::vector<double> a = elements(random::normal(key.fold(0), {count}));
  const std::vector<double> b = elements(random::normal(key.fold(1), {count}));
  const std::vector<double> c = elements(random::normal(key, {count}));
  for (const auto& [x, y] : {std::pair(&a, &b), std::pair(&a, &c), std::pair(&b, &c)}) {
    BOOST_TEST(std::abs(correlation(*x, *y)) < 5e-3);
  }
}

BOOST_AUTO_TEST_CASE(uniform_numbers) {
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor x = random::uniform(Key(3), {count}, -1, 3, dtype);
    BOOST_TEST(x.dtype() == dtype);
    const std::vector<double> numbers = elements(x);
    const auto [least, greatest] = std::minmax_element(numbers.begin(), numbers.end());
    BOOST_TEST(*least >= -1);
    BOOST_TEST(*greatest < 3);
    BOOST_TEST(*least < -0.999);
    BOOST_TEST(*greatest > 2.999);
    BOOST_TEST(std::abs(mean_of(numbers) - 1) < 0.01);
    BOOST_TEST(std::abs(moment(numbers, 1, 2) - 16 / 12.0) < 0.01);
    std::vector<int> histogram(20);
    for (const double number : numbers) {
      ++histogram[static_cast<std::size_t>((number + 1) * 5)];
    }
    for (const int in_bin : histogram) {
      BOOST_TEST(std::abs(in_bin - 50000) < 1100);  // five standard deviations
    }
  }
}

BOOST_AUTO_TEST_CASE(rounding_does_not_reach_the_upper_end) {
  const std::vector<double> numbers = elements(random::uniform(Key(5), {count}, 1000, 1001));
  BOOST_TEST(*std::max_element(numbers.begin(), numbers.end()) < 1001);
  BOOST_TEST(*std::min_element(numbers.begin(), numbers.end()) >= 1000);
  testing::check_elements(random::uniform(Key(1), {2}, 5, 5), {2}, {5, 5});
}

BOOST_AUTO_TEST_CASE(normal_numbers) {
  for (const DType dtype : {DType::float32, DType::float64}) {
    const Tensor x = random::normal(Key(11), {count}, 2, 3, dtype);
    BOOST_TEST(x.dtype() == dtype);
    const std::vector<double> numbers = elements(x);
    BOOST_TEST(std::abs(mean_of(numbers) - 2) < 0.015);
    BOOST_TEST(std::abs(moment(numbers, 2, 2) - 9) < 0.07);
    BOOST_TEST(std::abs(moment(numbers, 2, 3)) < 0.4);
    BOOST_TEST(std::abs(moment(numbers, 2, 4) - 243) < 5);
    const auto beyond = [&](double sigmas) {
      return static_cast<double>(std::count_if(numbers.begin(), numbers.end(),
                                               [=](double number) { return std::abs(number - 2) > 3 * sigmas; })) /
             static_cast<double>(count);
    };
    BOOST_TEST(std::abs(beyond(1) - std::erfc(1 / std::sqrt(2))) < 0.0025);
    BOOST_TEST(std::abs(beyond(3) - std::erfc(3 / std::sqrt(2))) < 0.0003);
    BOOST_TEST(beyond(4) > 0);
    BOOST_TEST(std::all_of(numbers.begin(), numbers.end(), [](double number) { return std::isfinite(number); }));
  }
}

BOOST_AUTO_TEST_CASE(neighbours_are_uncorrelated) {
  std::vector<double> numbers = elements(random::normal(Key(13), {count}));
  for (const std::ptrdiff_t distance : {1, 2, 4, 8, 16, 1000}) {
    const std::vector<double> shifted(numbers.begin() + distance, numbers.end());
    const std::vector<double> head(numbers.begin(), numbers.end() - distance);
    BOOST_TEST(std::abs(correlation(head, shifted)) < 5e-3);
  }
}

BOOST_AUTO_TEST_CASE(random_tensors_are_constants_to_gradients) {
  const Tensor x = {1.0, 2.0};
  const Tensor noise = random::normal(Key(1), {2}, 0, 1, DType::float64);
  testing::check_elements(grad(sum(x * noise), x), {2}, elements(noise));
  BOOST_TEST(random::normal(Key(1), {0, 3}).size() == 0);
  BOOST_TEST(std::isfinite(random::uniform(Key(1), {}).item()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
