#include "autograd/ops/random.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_random)

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

// Everything that is drawn with a key, in a row.
std::vector<double> drawn(const Key& key) {
  return elements(concatenate(
      {reshape(random::uniform(key, {3, 5}, -1, 2, DType::float64), {-1}),
       random::normal(key, {7}, 1, 2, DType::float64), cast(random::bernoulli(key, 0.5, {20}), DType::float64),
       cast(random::permutation(key, 9), DType::float64), cast(random::uniform(key, {3}), DType::float64)}));
}

}  // namespace

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

BOOST_AUTO_TEST_CASE(a_tensor_folds_like_its_number) {
  const Key key(42);
  for (const std::int64_t number : {std::int64_t{0}, std::int64_t{7}, std::int64_t{1} << 40, std::int64_t{-1}}) {
    const Key expected = key.fold(static_cast<std::uint64_t>(number));
    const Key folded = key.fold(Tensor(number));
    BOOST_TEST(folded.state() == expected.state());
    BOOST_TEST((drawn(folded) == drawn(expected)));
    BOOST_TEST(folded.fold(3).state() == expected.fold(3).state());
    BOOST_TEST(folded.fold(Tensor(std::int64_t{5})).state() == expected.fold(5).state());
  }
  BOOST_TEST(key.fold(Tensor{7}).state() == key.fold(7).state());  // int32, shape (1,)
  BOOST_TEST(key.fold(Tensor(7)).tensor().item<std::int64_t>() == static_cast<std::int64_t>(key.fold(7).state()));
}

BOOST_AUTO_TEST_CASE(a_compiled_function_draws_anew_at_every_call) {
  const Key key(42);
  const Variable steps(Tensor(std::int64_t{0}), "steps");
  const auto step = compile([&](const Tensor& number) {
    const Tensor of_variable = random::normal(key.fold(steps), {5});
    steps.assign(steps + 1);
    return std::pair(of_variable, random::uniform(key.fold(number).fold(2), {5}));
  });
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto [of_variable, of_argument] = step(Tensor(static_cast<std::int64_t>(10 * i)));
    BOOST_TEST((elements(of_variable) == elements(random::normal(key.fold(i), {5}))));
    BOOST_TEST((elements(of_argument) == elements(random::uniform(key.fold(10 * i).fold(2), {5}))));
  }
  BOOST_TEST(step.trace_count() == 1u);
  const auto reads = compile([&] { return Tensor(static_cast<double>(key.fold(steps).state())); });
  testing::check_throws<ValueError>([&] { reads(); }, {"value"});
}

BOOST_AUTO_TEST_CASE(a_mapped_key_draws_for_every_sample) {
  const Key key(3);
  const auto of_both = [&](const Tensor& a, const Tensor& b) {
    return random::normal(key.fold(a).fold(b), {2, 3}) + cast(random::permutation(key.fold(b), 3), DType::float32);
  };
  const Tensor a = {1, 2};
  const Tensor b = {5, 6, 7};
  const Tensor drawn_for_all = vmap([&](const Tensor& each) { return vmap(of_both, {unmapped, 0})(each, b); })(a);
  BOOST_TEST_REQUIRE(to_string(drawn_for_all.shape()) == "(2, 3, 2, 3)");
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      BOOST_TEST((elements(drawn_for_all[{i, j}]) == elements(of_both(Tensor(1 + i), Tensor(5 + j)))));
    }
  }
}

BOOST_AUTO_TEST_CASE(checkpoint_draws_the_same_again) {
  const Key key(3);
  const Variable steps(Tensor(std::int64_t{4}), "steps");
  const Tensor x = random::normal(Key(1), {6}, 0, 1, DType::float64);
  const auto f = [&](const Tensor& a) { return exp(a * random::uniform(key.fold(steps), {6}, 0, 1, DType::float64)); };
  const Tensor noise = random::uniform(key.fold(4), {6}, 0, 1, DType::float64);
  const auto gradient = [&](const Tensor& a) { return grad(sum(checkpoint(f)(a)), a); };
  testing::check_elements(gradient(x), {6}, elements(noise * exp(x * noise)), 1e-15);
  testing::check_elements(compile(gradient)(x), {6}, elements(noise * exp(x * noise)), 1e-15);
}

BOOST_AUTO_TEST_CASE(distributions_that_do_not_exist_are_refused) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto line = std::to_string(__LINE__ + 1);
  testing::check_throws<ValueError>([] { normal(Key(1), {2}, 0, -1); }, {"got -1", "random.cpp:" + line});
  testing::check_throws<ValueError>([] { normal(Key(1), {2}, 0, std::nan("")); }, {"[random_normal]", "nan"});
  testing::check_throws<ValueError>([=] { uniform(Key(1), {2}, -infinity, 1); }, {"[random_uniform]", "-inf"});
  testing::check_throws<ShapeError>([] { permutation(Key(1), -1); }, {"[permutation]", "-1"});
  testing::check_elements(normal(Key(1), {2}, 3, 0, DType::float64), {2}, {3, 3});
}

BOOST_AUTO_TEST_CASE(what_is_no_counter_is_refused) {
  const auto line = std::to_string(__LINE__ + 1);
  testing::check_throws<DTypeError>([] { Key(1).fold(Tensor(1.5)); }, {"[fold] ", "float64", "random.cpp:" + line});
  testing::check_throws<ShapeError>([] { Key(1).fold(Tensor{1, 2}); }, {"[fold] ", "(2,)", "vmap"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
