#include <cstdint>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// What integers do where they end, and where they meet numbers that are none.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_integers)

namespace {

using testing::check_elements;
using testing::check_throws;

constexpr std::int32_t least = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t least64 = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t most64 = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t odd = 9007199254740993;  // 2^53 + 1

template <class T>
std::vector<T> elements_of(const Tensor& x) {
  return testing::elements<T>(x.array());
}

}  // namespace

BOOST_AUTO_TEST_CASE(quotients_go_with_their_remainders) {
  const Tensor a = {7, -7, 7, -7, 6, least, least, most};
  const Tensor b = {3, 3, -3, -3, 3, -1, 3, -1};
  check_elements(a / b, {8}, {2, -2, -2, 2, 2, 1.0 * least, -715827882, -1.0 * most});
  check_elements(fmod(a, b), {8}, {1, -1, 1, -1, 0, 0, -2, 0});
  check_elements(floor_divide(a, b), {8}, {2, -3, -3, 2, 2, 1.0 * least, -715827883, -1.0 * most});
  check_elements(remainder(a, b), {8}, {1, 2, -2, -1, 0, 0, 1, 0});
  BOOST_TEST(elements_of<std::int32_t>(floor_divide(a, b) * b + remainder(a, b)) == elements_of<std::int32_t>(a));
  BOOST_TEST(elements_of<std::int32_t>(a / b * b + fmod(a, b)) == elements_of<std::int32_t>(a));
  check_elements(floor_divide(Tensor{-7}, 2), {1}, {-4});
  check_elements(map([](Scalar s) { return floor_divide(s, 2) + fmod(s, 4); }, Tensor{-7}), {1}, {-7});
  check_throws<ValueError>([&] { floor_divide(a, Tensor{0}).array(); },
                           {"[floor_divide] an integer is divided by zero"});
  check_throws<ValueError>([&] { fmod(a, Tensor{0}).array(); }, {"[fmod] an integer is divided by zero"});
}

BOOST_AUTO_TEST_CASE(casts_take_the_nearest_integer_there_is) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor x = {nan, inf, -inf, 1e30, -1e30, 2.9, -2.9, 300.0};
  check_elements(cast(x, DType::uint8), {8}, {0, 255, 0, 255, 0, 2, 0, 255});
  check_elements(cast(x, DType::int32), {8}, {0, 1.0 * most, 1.0 * least, 1.0 * most, 1.0 * least, 2, -2, 300});
  const std::vector<std::int64_t> wide = {0, most64, least64, most64, least64, 2, -2, 300};
  BOOST_TEST(elements_of<std::int64_t>(cast(x, DType::int64)) == wide);
  BOOST_TEST(elements_of<std::int64_t>(cast(cast(x, DType::float32), DType::int64)) == wide);
  const Tensor ends = {2147483520.0F, 2147483648.0F, -2147483648.0F, -2147483904.0F};
  check_elements(cast(ends, DType::int32), {4}, {2147483520, 1.0 * most, 1.0 * least, 1.0 * least});
  const Tensor edge = {2147483647.5, 2147483648.0, -2147483648.5, -2147483649.0};
  check_elements(cast(edge, DType::int32), {4}, {1.0 * most, 1.0 * most, 1.0 * least, 1.0 * least});
  check_elements(cast(Tensor{300, -1}, DType::uint8), {2}, {44, 255});
  check_elements(cast(full({1}, (std::int64_t{1} << 32) + 5, DType::int64), DType::int32), {1}, {5});
}

BOOST_AUTO_TEST_CASE(sums_wrap_around) {
  const Tensor x = full({2}, most64, DType::int64);
  BOOST_TEST(elements_of<std::int64_t>(cumsum(x, 0)) == (std::vector<std::int64_t>{most64, -2}));
  BOOST_TEST(elements_of<std::int64_t>(cumprod(x, 0)) == (std::vector<std::int64_t>{most64, 1}));
  BOOST_TEST(elements_of<std::int64_t>(sum(x)) == (std::vector<std::int64_t>{-2}));
  const Tensor one = full({1}, 1, DType::int64);
  BOOST_TEST(elements_of<std::int64_t>(scatter_add(x, Tensor({0}), one)) ==
             (std::vector<std::int64_t>{least64, most64}));
  const Tensor twice = scatter_add(zeros({1}, DType::int32), Tensor({0, 0}), Tensor({most, 1}));
  BOOST_TEST(elements_of<std::int32_t>(twice) == (std::vector<std::int32_t>{least}));
}

BOOST_AUTO_TEST_CASE(whole_numbers_beyond_those_of_a_double_stay_exact) {
  BOOST_TEST(elements_of<std::int64_t>(full({2}, odd, DType::int64)) == (std::vector<std::int64_t>{odd, odd}));
  BOOST_TEST(elements_of<std::int64_t>(full({1}, most64, DType::int64)) == (std::vector<std::int64_t>{most64}));
  const Tensor one = full({1}, 1, DType::int64);
  BOOST_TEST(elements_of<std::int64_t>(full_like(one, odd)) == (std::vector<std::int64_t>{odd}));
  BOOST_TEST(elements_of<std::int64_t>(pad(one, {1}, {2}, odd)) == (std::vector<std::int64_t>{odd, 1, odd, odd}));
  check_elements(full({1}, odd), {1}, {9007199254740992});
  check_throws<DTypeError>([] { full({1}, odd, DType::int32); }, {"[full] int32 cannot hold"});
  check_throws<DTypeError>([] { full({1}, ~std::uint64_t{0}, DType::int64); }, {"[full] int64 cannot hold"});
  check_throws<DTypeError>([] { pad(Tensor{1}, {1}, {0}, odd); }, {"[pad] int32 cannot hold"});
}

BOOST_AUTO_TEST_CASE(numbers_that_integers_cannot_be_are_refused) {
  const Tensor x = {1, 2};
  check_throws<DTypeError>([&] { map([](Scalar s) { return s + 3e9; }, x); },
                           {"[map] int32 cannot hold the constant 3"});
  BOOST_TEST(elements_of<std::int64_t>(map([](Scalar s) { return s + 3e9; }, cast(x, DType::int64))) ==
             (std::vector<std::int64_t>{3'000'000'001, 3'000'000'002}));
  check_throws<DTypeError>([&] { map([](Scalar s) { return s * 1e19; }, cast(x, DType::int64)); },
                           {"[map] int64 cannot hold the constant"});
  check_throws<DTypeError>([&] { map([](Scalar s) { return pow(s, -1); }, x); }, {"[map] it takes floating tensors"});
  check_throws<DTypeError>([&] { map([](Scalar s) { return 2 * pow(s, -2); }, x); },
                           {"[map] it takes floating tensors"});
  check_elements(map([](Scalar s) { return pow(s, 3) + 4 / s; }, x), {2}, {5, 10});
}

BOOST_AUTO_TEST_CASE(powers_of_integers_are_products) {
  const Tensor base = {2, -3, 0, 7, -1};
  const Tensor exponent = {30, 3, 0, 1, most};
  check_elements(pow(base, exponent), {5}, {1073741824, -27, 1, 7, -1});
  check_elements(pow(expand_dims(Tensor{2, 3}, 1), Tensor{0, 1, 4}), {2, 3}, {1, 2, 16, 1, 3, 81});
  check_elements(pow(2, Tensor{0, 10}), {2}, {1, 1024});
  check_elements(pow(2.0, Tensor{0, 10}), {2}, {1, 1024});
  const std::vector<std::int64_t> wide = {std::int64_t{1} << 40, 0, 4052555153018976267};
  BOOST_TEST(elements_of<std::int64_t>(pow(Tensor{2, 2, 3}, cast(Tensor{40, 64, 39}, DType::int64))) == wide);
  const Tensor mapped = vmap([](const Tensor& b) { return pow(Tensor{2, 3}, b); })(Tensor({{0, 1}, {2, 3}}));
  check_elements(mapped, {2, 2}, {1, 3, 4, 27});
  const auto step = compile([](const Tensor& a, const Tensor& b) { return pow(a, b) + 1; });
  check_elements(step(base, exponent), {5}, {1073741825, -26, 2, 8, 0});
  check_throws<ValueError>(
      [&] { pow(base, Tensor{-1}).array(); },
      {"[pow] 2 to the power of -1: negative powers of integers are not computed; cast the base first"});
  check_throws<DTypeError>([&] { pow(base > 0, exponent); },
                           {"[pow] it takes numbers, got boolean, which is for storage", "cast(x, DType::int64)"});
}

BOOST_AUTO_TEST_CASE(limits_that_integers_cannot_reach_are_none) {
  const Tensor x = {most, least, 5};
  check_elements(clip(x, 0, 3e9), {3}, {1.0 * most, 0, 5});
  check_elements(clip(x, -3e9, 1), {3}, {1, 1.0 * least, 1});
  check_elements(clip(x, -std::numeric_limits<double>::infinity(), 7), {3}, {7, 1.0 * least, 5});
  BOOST_TEST(elements_of<std::int64_t>(clip(full({1}, most64, DType::int64), 0, 1e19)) ==
             (std::vector<std::int64_t>{most64}));
  check_throws<DTypeError>([&] { clip(x, 0, std::numeric_limits<double>::quiet_NaN()); }, {"[clip] int32 cannot hold"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
