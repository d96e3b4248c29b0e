#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/runtime/floating_mode.hpp"
#include "tests/testing.hpp"

/// \file
/// bfloat16: what its bits mean, how numbers are rounded to it, and what tensors of it can do.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(graph_bfloat16)

namespace graph_bfloat16 {

using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::make_tensor;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// The value of 16 bits, from what they mean: sign, eight bits of exponent with bias 127, seven of fraction.
double meaning_of(std::uint16_t bits) {
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  const int exponent = bits >> 7 & 0xff;
  const int fraction = bits & 0x7f;
  if (exponent == 0xff) {
    return fraction == 0 ? sign * infinity : nan;
  }
  return sign * (exponent == 0 ? std::ldexp(fraction, -133) : std::ldexp(128 + fraction, exponent - 134));
}

/// The nearest number with eight digits, halfway to the even one: by the rounding of whole numbers. \p x is exact.
double nearest(long double x) {
  if (!std::isfinite(x) || x == 0) {
    return static_cast<double>(x);
  }
  int exponent = 0;
  std::frexp(x, &exponent);
  const int unit = std::max(exponent - 8, -133);
  const auto rounded = static_cast<double>(std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit));
  return std::fabs(rounded) >= 0x1p128 ? std::copysign(infinity, rounded) : rounded;
}

bool same(double a, double b) { return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b); }

/// Numbers of a floating type: random bits, and random ones at and next to the middle between two of eight digits.
template <class T, class Bits>
std::vector<T> numbers(std::size_t count, int digits) {
  std::mt19937_64 engine(3);
  std::vector<T> result;
  for (std::size_t i = 0; i < count; ++i) {
    auto bits = static_cast<Bits>(engine());
    if (i % 2 != 0) {
      const int kept = 1 + static_cast<int>(engine() % 9);  // of the fraction
      bits = static_cast<Bits>(bits >> (digits - kept) << (digits - kept));
      bits = static_cast<Bits>(bits + static_cast<Bits>(engine() % 3) - 1);
    }
    result.push_back(std::bit_cast<T>(bits));
  }
  return result;
}

/// \p from, converted by the kernel from positions that are no multiple of a vector on.
template <class T>
std::vector<BFloat16> cast_by_kernel(const std::vector<T>& from, std::size_t first) {
  std::vector<BFloat16> to(from.size() - first);
  kernels::cast(dtype_of<T>(), from.data() + first, DType::bfloat16, to.data(), static_cast<std::int64_t>(to.size()));
  return to;
}

template <class T>
void check_rounding(const std::vector<T>& from) {
  constexpr std::size_t first = 3;
  const std::vector<BFloat16> to = cast_by_kernel(from, first);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const double expected = nearest(static_cast<long double>(from[i]));
    const BFloat16 converted(from[i]);
    const bool is_same = same(converted, expected) && (i < first || to[i - first].bits() == converted.bits());
    if (!is_same && wrong++ < 5) {
      BOOST_ERROR(from[i] << " becomes " << converted << " in C++ and " << to[i < first ? 0 : i - first]
                          << " in the kernel, the nearest is " << expected);
    }
  }
  BOOST_TEST(wrong == 0u);
}

Tensor of(const std::vector<double>& values) {
  return make_tensor(values, {static_cast<std::int64_t>(values.size())}, DType::bfloat16);
}

}  // namespace graph_bfloat16

using namespace graph_bfloat16;

BOOST_AUTO_TEST_CASE(all_patterns_mean_what_the_format_says_and_come_back) {
  std::vector<BFloat16> all;
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    all.push_back(BFloat16::from_bits(static_cast<std::uint16_t>(bits)));
  }
  const Tensor x(all);
  const Array narrow = x.array();
  const Array single = cast(x, DType::float32).array();
  const Array twice = cast(x, DType::float64).array();
  const Array back = cast(Tensor(single), DType::bfloat16).array();
  const Array back_from_double = cast(Tensor(twice), DType::bfloat16).array();
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const double meaning = meaning_of(bits);
    // NaN comes back as a quiet one, with its sign and its payload.
    const auto expected = static_cast<std::uint16_t>(std::isnan(meaning) ? bits | 0x40 : bits);
    const bool good = same(all[i], meaning) && narrow.data<BFloat16>()[i].bits() == bits &&
                      same(static_cast<double>(single.data<float>()[i]), meaning) &&
                      same(twice.data<double>()[i], meaning) && back.data<BFloat16>()[i].bits() == expected &&
                      back_from_double.data<BFloat16>()[i].bits() == expected;
    if (!good && wrong++ < 5) {
      BOOST_ERROR("pattern " << i << ", which means " << meaning);
    }
  }
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(floats_become_the_nearest_number) {
  check_rounding(numbers<float, std::uint32_t>(100'000, 23));
  check_rounding(std::vector<float>{0.0F, -0.0F, 1.0F, 1.00390625F, 1.01171875F, 0x1.fep127F, 0x1.fefffep127F,
                                    0x1.ffp127F, -0x1.fffffep127F, 0x1p-133F, 0x1p-134F, 0x1.8p-133F, 0x1.000002p-134F,
                                    0x1p-149F});
}

// By way of a float, what is next to the middle between two numbers would become the middle first.
BOOST_AUTO_TEST_CASE(doubles_are_rounded_once) {
  const double above = 1 + 0x1p-8 + 0x1p-40;
  BOOST_TEST(static_cast<double>(BFloat16(above)) == 1 + 0x1p-7);
  BOOST_TEST(static_cast<double>(BFloat16(static_cast<float>(above))) == 1);
  check_elements(cast(Tensor{above, -above, 0x1p-134 + 0x1p-180}, DType::bfloat16), {3},
                 {1 + 0x1p-7, -1 - 0x1p-7, 0x1p-133});
  check_rounding(numbers<double, std::uint64_t>(100'000, 52));
  std::vector<double> in_range;
  for (const double x : numbers<double, std::uint64_t>(100'000, 52)) {
    int exponent = 0;
    const double fraction = std::frexp(x, &exponent);
    in_range.push_back(std::ldexp(std::isfinite(x) ? fraction : 0, exponent % 145));
  }
  check_rounding(in_range);
}

BOOST_AUTO_TEST_CASE(integers_are_rounded_once) {
  constexpr std::int64_t middle = (std::int64_t{1} << 60) + (std::int64_t{1} << 52);
  check_elements(cast(Tensor{middle, middle + 1, -middle - 1}, DType::bfloat16), {3},
                 {0x1p60, 0x1p60 + 0x1p53, -0x1p60 - 0x1p53});
  std::mt19937_64 engine(5);
  std::vector<std::int64_t> wide = {0, std::numeric_limits<std::int64_t>::max(),
                                    std::numeric_limits<std::int64_t>::min()};
  std::vector<std::int32_t> narrow = {0, std::numeric_limits<std::int32_t>::max(),
                                      std::numeric_limits<std::int32_t>::min()};
  for (int i = 0; i < 20'000; ++i) {
    const auto x = static_cast<std::int64_t>(engine()) >> engine() % 60;
    const auto cleared = engine() % 60;
    const auto beside = static_cast<std::uint64_t>(x >> cleared << cleared) + engine() % 3 - 1;  // wraps
    wide.push_back(static_cast<std::int64_t>(beside));
    narrow.push_back(static_cast<std::int32_t>(wide.back()));
  }
  check_rounding(wide);
  check_rounding(narrow);
}

BOOST_AUTO_TEST_CASE(conversions_do_not_depend_on_what_counts_as_zero) {
  const std::vector<float> from = {0x1p-130F, -0x1.8p-127F, 0x1p-133F, 0x1.fp-134F};
  const std::vector<double> wide(from.begin(), from.end());
  std::vector<BFloat16> to(4), to_wide(4);
  std::vector<float> back(4);
  {
    const runtime::FloatingModeScope scope(runtime::flushing_subnormals());
    kernels::cast(DType::float32, from.data(), DType::bfloat16, to.data(), 4);
    kernels::cast(DType::float64, wide.data(), DType::bfloat16, to_wide.data(), 4);
    kernels::cast(DType::bfloat16, to.data(), DType::float32, back.data(), 4);
  }
  const std::vector<double> expected = {0x1p-130, -0x1.8p-127, 0x1p-133, 0x1p-133};
  for (std::size_t i = 0; i < 4; ++i) {
    BOOST_TEST(static_cast<double>(to[i]) == expected[i]);
    BOOST_TEST(to_wide[i].bits() == to[i].bits());
    BOOST_TEST(static_cast<double>(back[i]) == expected[i]);
  }
}

BOOST_AUTO_TEST_CASE(other_types_come_from_the_number) {
  const Tensor x = of({0, -0.0, 2.75, -2.75, 300, nan, infinity, 0x1p-133});
  check_elements(cast(x, DType::int32), {8}, {0, 0, 2, -2, 300, 0, 2147483647, 0});
  check_elements(cast(x, DType::uint8), {8}, {0, 0, 2, 0, 255, 0, 255, 0});
  check_elements(cast(x, DType::boolean), {8}, {0, 0, 1, 1, 1, 1, 1, 1});
  check_elements(cast(Tensor{true, false}, DType::bfloat16), {2}, {1, 0});
  check_elements(cast(make_tensor({255, 7}, {2}, DType::uint8), DType::bfloat16), {2}, {255, 7});
  check_elements(cast(Tensor{3e38, 3.4e38, -1e300, 1e-300}, DType::bfloat16), {4},
                 {static_cast<double>(BFloat16(3e38F)), infinity, -infinity, 0});
}

BOOST_AUTO_TEST_CASE(in_cpp_it_is_a_number_by_value) {
  constexpr BFloat16 x(1.5F);
  static_assert(x == BFloat16(1.5) && x < BFloat16(2) && x != BFloat16::from_bits(0) && x * x == 2.25F);
  static_assert(BFloat16(0.0F) == BFloat16(-0.0F) && BFloat16(true) == BFloat16(std::uint8_t{1}));
  static_assert(std::is_trivially_copyable_v<BFloat16> && std::is_trivially_default_constructible_v<BFloat16>);
  using Limits = std::numeric_limits<BFloat16>;
  static_assert(!(Limits::quiet_NaN() == Limits::quiet_NaN()) && Limits::infinity() > Limits::max());
  BOOST_TEST(static_cast<double>(Limits::max()) == (2 - 0x1p-7) * 0x1p127);
  BOOST_TEST(static_cast<double>(Limits::lowest()) == -(2 - 0x1p-7) * 0x1p127);
  BOOST_TEST(static_cast<double>(Limits::min()) == 0x1p-126);
  BOOST_TEST(static_cast<double>(Limits::denorm_min()) == 0x1p-133);
  BOOST_TEST(static_cast<double>(Limits::epsilon()) == 0x1p-7);
  std::ostringstream text;
  text << x;
  BOOST_TEST(text.str() == "1.5");
}

BOOST_AUTO_TEST_CASE(tensors_are_made_of_it_and_give_it_back) {
  const Tensor row = {BFloat16(1.0F), BFloat16(-2.5F)};
  BOOST_TEST(row.dtype() == DType::bfloat16);
  BOOST_TEST(row.array().bytes() == 4u);
  check_elements(row, {2}, {1, -2.5});
  check_elements(Tensor{{BFloat16(1.0F)}, {BFloat16(3.0F)}}, {2, 1}, {1, 3});
  check_elements(Tensor(BFloat16(0.1F)), {}, {static_cast<double>(BFloat16(0.1F))});
  const xt::xarray<BFloat16> given = {BFloat16(4.0F), BFloat16(8.0F)};
  const Tensor from_xtensor = given;
  check_elements(from_xtensor, {2}, {4, 8});
  BOOST_TEST((from_xtensor.value<BFloat16>()(1) == BFloat16(8.0F)));
  BOOST_TEST(row[1].item() == -2.5);
  BOOST_TEST((row[1].item<BFloat16>() == BFloat16(-2.5F)));
  BOOST_TEST((Tensor(3).item<BFloat16>() == BFloat16(3.0F)));
  check_throws<DTypeError>([&] { row.value<float>(); }, {"[value]", "bfloat16", "float32", "cast"});
  const Variable stored(row, "stored");
  BOOST_TEST(stored.dtype() == DType::bfloat16);
  check_elements(stored, {2}, {1, -2.5});
  std::ostringstream text;
  text << of({1, 0.1, nan, -infinity});
  BOOST_TEST(text.str() == "{ 1.      ,  0.100098,       nan,      -inf}");
}

BOOST_AUTO_TEST_CASE(it_is_compared) {
  const Tensor x = of({1, -2, nan, 0});
  check_elements(x < of({2, -2, 0, -0.0}), {4}, {1, 0, 0, 0});
  check_elements(x == of({1, 2, nan, -0.0}), {4}, {1, 0, 0, 1});
  check_elements(isnan(x), {4}, {0, 0, 1, 0});
  check_elements(nan_to_num(of({nan, infinity, 1})), {3}, {0, (2 - 0x1p-7) * 0x1p127, 1});
  // A C++ number takes its type, a tensor of float32 is compared exactly.
  check_elements(of({0.1, 0.3}) == 0.1, {2}, {1, 0});
  check_elements(of({0.1, 0.25}) == Tensor{0.1F, 0.25F}, {2}, {0, 1});
  check_elements(sort(of({3, nan, -1, 2})), {4}, {-1, 2, 3, nan});
  check_elements(argsort(of({3, 1, 2}), -1, true), {3}, {0, 2, 1});
  check_elements(topk(of({3, 1, 2}), 2).values, {2}, {3, 2});
  check_elements(searchsorted(of({1, 2, 3}), of({2.5, nan})), {2}, {2, 3});
  check_elements(amax(of({3, 5, -1})), {}, {5});
  check_elements(amin(of({3, nan, -1})), {}, {nan});
  check_elements(argmax(of({3, 5, nan, 5})), {}, {2});
  check_elements(clip(of({-3, 0.5, nan, 9}), -1, 2), {4}, {-1, 0.5, nan, 2});
  check_elements(unique(of({2, 1, 2})).values, {2}, {1, 2});
  check_elements(cummax(of({1, 3, 2}), 0).values, {3}, {1, 3, 3});
}

BOOST_AUTO_TEST_CASE(amax_of_many_runs_over_all_axes) {
  const Tensor wide = testing::random_tensor({7, 33, 5});
  const Tensor x = cast(wide, DType::bfloat16);
  for (const Axes& axes : {Axes(), Axes(0), Axes(1), Axes(2)}) {
    const Tensor expected = amax(cast(x, DType::float64), axes);
    check_elements(amax(x, axes), expected.shape(), elements(expected));
  }
}

BOOST_AUTO_TEST_CASE(it_is_selected_and_moved) {
  const Tensor x = reshape(of({1, 2, 3, 4, 5, 6}), {2, 3});
  check_elements(transpose(x), {3, 2}, {1, 4, 2, 5, 3, 6});
  check_elements(x[{all(), range(2, 0, -1)}], {2, 2}, {3, 2, 6, 5});
  check_elements(concatenate({x, x[range(1)]}), {3, 3}, {1, 2, 3, 4, 5, 6, 4, 5, 6});
  check_elements(take(x, Tensor{2, 0}, 1), {2, 2}, {3, 1, 6, 4});
  check_elements(where(x > 2, x, 0), {2, 3}, {0, 0, 3, 4, 5, 6});
  check_elements(where(Tensor{true, false}, of({1, 2}), Tensor{0.1F, 0.1F}), {2}, {1, static_cast<double>(0.1F)});
  check_elements(broadcast_to(of({7}), {2, 2}), {2, 2}, {7, 7, 7, 7});
  check_elements(pad(of({1}), {1}, {2}, 0.5), {4}, {0.5, 1, 0.5, 0.5});
  check_elements(scatter(of({1, 2, 3}), Tensor{2, 0}, of({8, 9}), 0), {3}, {9, 2, 8});
  check_elements(full({2}, 0.1, DType::bfloat16), {2}, std::vector<double>(2, static_cast<double>(BFloat16(0.1))));
  // Rows that are not as long as a vector, and longer than one, read across.
  const Tensor numbers = cast(reshape(arange(37.0 * 19), {37, 19}), DType::bfloat16);
  check_elements(transpose(numbers), {19, 37}, elements(transpose(cast(numbers, DType::float64))));
}

BOOST_AUTO_TEST_CASE(infinity_and_nan_are_not_finite) {
  std::vector<BFloat16> many(100, BFloat16(1));
  int finite = 0;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    many[bits % many.size()] = BFloat16::from_bits(static_cast<std::uint16_t>(bits));
    finite += kernels::all_finite(DType::bfloat16, many.data(), 100) ==
                      std::isfinite(meaning_of(static_cast<std::uint16_t>(bits)))
                  ? 1
                  : 0;
    many[bits % many.size()] = BFloat16(1);
  }
  BOOST_TEST(finite == 0x10000);
}

BOOST_AUTO_TEST_CASE(arithmetic_asks_for_a_cast) {
  const Tensor x = of({1, 2});
  const Tensor single = {1.0F, 2.0F};
  check_throws<DTypeError>([&] { x + x; },
                           {"[add] ", "bfloat16", "storage", "cast(x, DType::float32)", "bfloat16.cpp"});
  check_throws<DTypeError>([&] { single* x; }, {"[multiply] ", "bfloat16", "cast"});
  check_throws<DTypeError>([&] { x * 2; }, {"[multiply] ", "bfloat16", "cast"});
  check_throws<DTypeError>([&] { sum(x); }, {"[sum] ", "bfloat16", "cast"});
  const std::string_view advice = "bfloat16, which is for storage; cast it first, as in cast(x, DType::float32)";
  check_throws<DTypeError>([&] { mean(x); }, {"[mean] it takes floating tensors to compute with, got ", advice});
  check_throws<DTypeError>([&] { prod(x); }, {"[prod] it takes numbers, got ", advice});
  check_throws<DTypeError>([&] { matmul(reshape(x, {1, 2}), reshape(x, {2, 1})); }, {"[matmul] ", "bfloat16"});
  check_throws<DTypeError>([&] { cumsum(x, 0); }, {"[cumsum] ", "bfloat16", "cast"});
  check_throws<DTypeError>([&] { scatter_add(x, Tensor{0}, of({1})); }, {"[scatter_add] ", "bfloat16", "cast"});
  check_throws<DTypeError>([&] { take(x, x); }, {"[take] ", "integers", "bfloat16"});
  check_throws<DTypeError>([&] { random::uniform(random::Key(1), {2}, 0, 1, DType::bfloat16); }, {"bfloat16"});
  check_throws<DTypeError>([&] { return x == Tensor({1, 2}); }, {"[equal] ", "bfloat16 meets int32", "cast"});
  check_throws<DTypeError>([&] { return x == Tensor({true, false}); }, {"[equal] ", "boolean", "cast"});
  // Compared with 0.1 and then written as what is next to it, a number would be two.
  check_throws<DTypeError>([&] { map([](Scalar a) { return where(a < 0.1, 0.1, a); }, x); },
                           {"[map] ", "bfloat16 cannot hold the constant 0.1", "as in cast(x, DType::float32)"});
}

// What is joined in one kernel computes in float32: the rounding between its parts has to stay.
BOOST_AUTO_TEST_CASE(plans_round_where_the_program_does) {
  const auto f = [](const Tensor& x) {
    const Tensor narrow = cast(x, DType::bfloat16);
    const Tensor chosen = where(narrow > 0.5, narrow, 0.1);
    return cast(chosen, DType::float32) * 3 + cast(cast(x * x, DType::bfloat16), DType::float32);
  };
  const Tensor x = cast(testing::random_tensor({1000}), DType::float32);
  const auto step = compile(f);
  const Array compiled = step(x).array();
  const Array eager = f(x).array();
  BOOST_TEST(std::memcmp(compiled.data(), eager.data(), eager.bytes()) == 0);
  for (const std::int64_t i : {0, 1, 500, 999}) {
    const float number = x.array().data<float>()[i];
    const BFloat16 narrow(number);
    const BFloat16 chosen = narrow > BFloat16(0.5) ? narrow : BFloat16(0.1);
    BOOST_TEST(eager.data<float>()[i] == chosen * 3 + static_cast<float>(BFloat16(number * number)));
  }
}

BOOST_AUTO_TEST_CASE(promotions_stand_in_one_table) {
  using enum DType;
  const std::vector<DType> all(testing::every_dtype.begin(), testing::every_dtype.end());
  for (const DType a : all) {
    for (const DType b : all) {
      BOOST_TEST((promoted(a, b) == promoted(b, a)));
      const auto common = promoted(a, b);
      BOOST_TEST_CONTEXT(a << " and " << b) {
        const Tensor x = zeros({2}, a);
        const Tensor y = zeros({2}, b);
        if (common) {
          BOOST_TEST(where(Tensor{true, false}, x, y).dtype() == *common);
        } else {
          check_throws<DTypeError>([&] { where(Tensor{true, false}, x, y); }, {"[where] ", to_string(a), to_string(b)});
        }
      }
    }
  }
  BOOST_TEST((promoted(uint8, int32) == int32));
  BOOST_TEST((promoted(int64, float32) == float32));
  BOOST_TEST((promoted(bfloat16, float64) == float64));
  BOOST_TEST((!promoted(float32, float64) && !promoted(bfloat16, uint8) && !promoted(boolean, int64)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
