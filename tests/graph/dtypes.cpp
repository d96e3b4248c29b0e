#include <cstdint>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(graph_dtypes)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::every_dtype;
using testing::make_tensor;

Tensor of(DType dtype) { return make_tensor({0, 1, 1}, {3}, dtype); }

}  // namespace

BOOST_AUTO_TEST_CASE(numbers_take_the_dtype_of_the_tensor_they_meet) {
  for (const DType dtype : {DType::int32, DType::int64, DType::float32, DType::float64}) {
    const Tensor x = of(dtype);
    for (const Tensor& y :
         {x + 1, 1 + x, x * 2.0, 3 - x, x / 2, maximum(x, 2), where(x > 0, x, 0), -x, x - 1u, x + 1LL}) {
      BOOST_TEST(y.dtype() == dtype);
    }
  }
  BOOST_TEST((of(DType::float32) * 0.1).dtype() == DType::float32);
  BOOST_TEST((of(DType::uint8) == 1).dtype() == DType::boolean);
  BOOST_TEST(where(of(DType::boolean), of(DType::uint8), 255).dtype() == DType::uint8);
  check_elements(of(DType::float32) * 0.1, {3}, {0, 0.1f, 0.1f});
}

BOOST_AUTO_TEST_CASE(numbers_among_themselves) {
  BOOST_TEST(add(1, 2).dtype() == DType::int64);
  BOOST_TEST(add(1, 2.0).dtype() == DType::float32);
  BOOST_TEST(add(1, 2).item<int>() == 3);
}

BOOST_AUTO_TEST_CASE(fractions_do_not_meet_integers) {
  for (const DType dtype : {DType::int32, DType::int64}) {
    check_throws<DTypeError>([&] { of(dtype) * 0.5; }, {"[multiply]", "0.5", to_string(dtype), "cast", "dtypes.cpp"});
  }
  check_throws<DTypeError>([] { return of(DType::int32) + std::numeric_limits<double>::infinity(); }, {"[add]", "inf"});
  check_throws<DTypeError>([] { return map([](Scalar a) { return 0.5 * a; }, of(DType::int32)); },
                           {"[map]", "floating"});
}

BOOST_AUTO_TEST_CASE(numbers_that_do_not_fit_are_refused) {
  check_throws<DTypeError>([] { return of(DType::int32) + 3000000000.0; }, {"[add]", "int32"});
  check_throws<DTypeError>([] { return of(DType::uint8) < 256; }, {"[less]", "256", "uint8"});
  check_throws<DTypeError>([] { return of(DType::uint8) == -1; }, {"[equal]", "-1", "uint8"});
  check_throws<DTypeError>([] { return of(DType::boolean) != 2; }, {"[not_equal]", "2", "boolean"});
  check_elements(of(DType::int64) + 3000000000.0, {3}, {3e9, 3e9 + 1, 3e9 + 1});
  check_elements(of(DType::uint8) <= 255, {3}, {1, 1, 1});
}

BOOST_AUTO_TEST_CASE(the_largest_and_smallest_integers_fit) {
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  constexpr auto smallest = std::numeric_limits<std::int64_t>::min();
  const Tensor zero = zeros({}, DType::int64);
  BOOST_TEST((zero + largest).item<std::int64_t>() == largest);
  BOOST_TEST((zero + (largest - 1)).item<std::int64_t>() == largest - 1);
  BOOST_TEST((zero + smallest).item<std::int64_t>() == smallest);
  BOOST_TEST((zero + static_cast<std::uint64_t>(largest)).item<std::int64_t>() == largest);
  check_throws<DTypeError>([&] { zero + (static_cast<std::uint64_t>(largest) + 1); }, {"[add]", "int64"});
  check_throws<DTypeError>([&] { zero + std::numeric_limits<std::uint64_t>::max(); }, {"[add]", "int64"});
  check_throws<DTypeError>([&] { zero + 9223372036854775808.0; }, {"[add]", "int64"});
}

BOOST_AUTO_TEST_CASE(two_floating_dtypes_do_not_meet) {
  const Tensor a = of(DType::float32);
  const Tensor b = of(DType::float64);
  check_throws<DTypeError>([&] { return a + b; }, {"[add]", "float32", "float64", "cast"});
  check_throws<DTypeError>([&] { return where(a > 0, a, b); }, {"[where]", "float32", "float64", "cast"});
  check_throws<DTypeError>([&] { return a < b; }, {"[less]", "float32", "float64", "cast"});
}

BOOST_AUTO_TEST_CASE(integers_meet_floating_and_wider_integers) {
  BOOST_TEST((of(DType::int32) + of(DType::float32)).dtype() == DType::float32);
  BOOST_TEST((of(DType::float64) * of(DType::int64)).dtype() == DType::float64);
  BOOST_TEST((of(DType::int32) + of(DType::int64)).dtype() == DType::int64);
  check_elements(Tensor{1, 2} * Tensor{0.5, 0.25}, {2}, {0.5, 0.5});
  const Tensor x = {1.0, 2.0};
  check_elements(grad(sum(x * Tensor{3, 4}), x), {2}, {3, 4});
}

BOOST_AUTO_TEST_CASE(storage_dtypes_do_not_compute) {
  for (const DType dtype : {DType::boolean, DType::uint8, DType::bfloat16}) {
    const Tensor x = of(dtype);
    for (const auto& f : std::vector<std::function<Tensor()>>{
             [&] { return x + x; }, [&] { return x * of(DType::float32); }, [&] { return -x; }, [&] { return exp(x); },
             [&] { return maximum(x, 1); }, [&] { return x - 1; }}) {
      check_throws<DTypeError>(f, {to_string(dtype), "cast"});
    }
  }
}

BOOST_AUTO_TEST_CASE(storage_dtypes_are_compared_selected_moved_and_summed) {
  const Tensor bytes = make_tensor({200, 3, 255}, {3}, DType::uint8);
  check_elements(bytes > make_tensor({100, 3, 1}, {3}, DType::uint8), {3}, {1, 0, 1});
  check_elements(bytes > make_tensor({199.5, 3.5, 1}, {3}, DType::float32), {3}, {1, 0, 1});
  check_elements(where(bytes > 100, bytes, zeros_like(bytes)), {3}, {200, 0, 255});
  check_elements(bytes[range(2, 0, -1)], {2}, {255, 3});
  const Tensor total = sum(bytes);
  BOOST_TEST(total.dtype() == DType::int64);
  BOOST_TEST(total.item<int>() == 458);
  for (const DType dtype : {DType::boolean, DType::uint8, DType::int32, DType::int64}) {
    BOOST_TEST(sum(of(dtype)).dtype() == DType::int64);
    BOOST_TEST(sum(of(dtype)).item<int>() == 2);
  }
  const auto most = static_cast<double>(std::numeric_limits<std::int32_t>::max());
  check_elements(sum(make_tensor({most, most}, {2}, DType::int32)), {}, {2 * most});
}

BOOST_AUTO_TEST_CASE(comparisons_give_boolean_and_conditions_take_it) {
  for (const DType dtype : every_dtype) {
    const Tensor x = of(dtype);
    BOOST_TEST((x == x).dtype() == DType::boolean);
    BOOST_TEST((x < x).dtype() == DType::boolean);
  }
  check_elements(where(logical_and(Tensor{1, 2, 3} > 1, !(Tensor{1, 2, 3} == 3)), 1, 0), {3}, {0, 1, 0});
  check_elements(logical_or(Tensor{true, false}, false), {2}, {1, 0});
}

BOOST_AUTO_TEST_CASE(cast_in_all_directions) {
  const std::vector<double> numbers = {0, 1, 200, -3, 2.75, -2.75};
  for (const DType from : every_dtype) {
    for (const DType to : every_dtype) {
      std::vector<double> expected;
      const Tensor x =
          make_tensor(from == DType::uint8 || from == DType::boolean ? std::vector<double>{0, 1, 200} : numbers,
                      {from == DType::uint8 || from == DType::boolean ? 3 : 6}, from);
      for (const double element : testing::elements(x)) {
        const bool fits = to != DType::uint8 || element >= 0;
        expected.push_back(to == DType::boolean ? element != 0
                           : is_real(to)        ? element
                           : fits               ? std::trunc(element)
                                                : -1);
      }
      const Tensor y = cast(x, to);
      BOOST_TEST(y.dtype() == to);
      const std::vector<double> actual = testing::elements(y);
      for (std::size_t i = 0; i < actual.size(); ++i) {
        if (expected[i] >= 0 || to != DType::uint8) {
          BOOST_TEST(actual[i] == expected[i]);
        }
      }
    }
  }
  const Tensor x = {1.0f, 2.0f};
  BOOST_TEST(cast(x, DType::float32).same_as(x));
  const Tensor gradient = grad(sum(square(cast(x, DType::float64))), x);
  BOOST_TEST(gradient.dtype() == DType::float32);
  check_elements(gradient, {2}, {2, 4});
}

BOOST_AUTO_TEST_CASE(indices_and_labels_may_be_of_any_integer_dtype) {
  const Tensor x = {10.0, 20.0, 30.0};
  for (const DType dtype : {DType::uint8, DType::int32, DType::int64}) {
    const Tensor labels = make_tensor({2, 0}, {2}, dtype);
    check_elements(one_hot(labels, 3), {2, 3}, {0, 0, 1, 1, 0, 0});
    check_elements(take(x, labels), {2}, {30, 10});
    check_elements(grad(sum(square(take(x, labels))), x), {3}, {20, 0, 60});
  }
  check_elements(take(x, Tensor{-1, -3}), {2}, {30, 10});
  BOOST_TEST(one_hot(Tensor{1}, 2, DType::float64).dtype() == DType::float64);
  BOOST_TEST(one_hot(Tensor{1}, 2, DType::boolean).dtype() == DType::boolean);
}

BOOST_AUTO_TEST_CASE(large_integers_are_exact) {
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  const Tensor x = large;
  BOOST_TEST(x.item<std::int64_t>() == large);
  BOOST_TEST((x + 0).item<std::int64_t>() == large);
  BOOST_TEST(sum(Tensor{large, std::int64_t{1}}).item<std::int64_t>() == large + 1);
  BOOST_TEST((Tensor{std::int64_t{0}} + large).item<std::int64_t>() == large);
}

BOOST_AUTO_TEST_CASE(what_does_not_compute_is_refused_in_the_name_of_the_operation) {
  const auto size = [](auto zero) { return sizeof(zero); };
  BOOST_TEST(dispatch_numbers(DType::int32, size, "mine") == 4U);
  BOOST_TEST(dispatch_real(DType::bfloat16, size, "mine") == 2U);
  check_throws<DTypeError>([&] { dispatch_numbers(DType::uint8, size, "mine"); },
                           {"[mine] ", "uint8, which is for storage", "cast(x, DType::float32)"});
  check_throws<DTypeError>([&] { dispatch_floating(DType::bfloat16, size, "mine"); },
                           {"[mine] ", "bfloat16, which is for storage"});
  check_throws<DTypeError>([&] { dispatch_floating(DType::int64, size, "mine"); }, {"[mine] ", "int64 are not"});
  check_throws<DTypeError>([&] { dispatch_real(DType::boolean, size, "mine"); }, {"[mine] ", "boolean"});
}

BOOST_AUTO_TEST_CASE(names_and_sizes) {
  const std::vector<std::string_view> names = {"boolean", "uint8", "int32", "int64", "bfloat16", "float32", "float64"};
  const std::vector<std::size_t> sizes = {1, 1, 4, 8, 2, 4, 8};
  BOOST_TEST(every_dtype.size() == names.size());
  for (std::size_t i = 0; i < every_dtype.size(); ++i) {
    BOOST_TEST(to_string(every_dtype[i]) == names[i]);
    BOOST_TEST(size_of(every_dtype[i]) == sizes[i]);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
