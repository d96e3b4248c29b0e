#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// The few first elements of many are those that sorting all of them gives.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_topk)

namespace {

using testing::elements;
using testing::make_tensor;

// Many equal elements, and NaN among the floating ones.
Tensor with_ties(const Shape& shape, DType dtype) {
  std::mt19937 engine(3);
  std::vector<double> numbers(static_cast<std::size_t>(shape.element_count()));
  for (double& each : numbers) {
    each = static_cast<double>(engine() % 50);
    each = is_floating(dtype) && each == 7 ? std::numeric_limits<double>::quiet_NaN() : each;
  }
  return make_tensor(numbers, shape, dtype);
}

}  // namespace

BOOST_AUTO_TEST_CASE(few_of_many_are_the_first_of_all) {
  for (const DType dtype : {DType::uint8, DType::int32, DType::int64, DType::float32, DType::float64}) {
    const Tensor x = with_ties({3, 400, 2}, dtype);
    for (const bool largest : {true, false}) {
      for (const std::int64_t k : {0, 1, 5, 24, 25, 300, 400}) {
        const TopK found = topk(x, k, 1, largest);
        const Tensor order = argsort(x, 1, largest)[{all(), range(0, k)}];
        BOOST_TEST(elements(found.indices) == elements(order), boost::test_tools::per_element());
        testing::check_elements(found.values, {3, k, 2}, elements(take_along_axis(x, order, 1)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(numbers_come_before_nan) {
  std::vector<double> numbers(100, std::numeric_limits<double>::quiet_NaN());
  numbers[90] = 1;
  numbers[40] = 2;
  const TopK found = topk(make_tensor(numbers, {100}, DType::float64), 3);
  testing::check_elements(found.indices, {3}, {40, 90, 0});
}

BOOST_AUTO_TEST_CASE(gradients_and_samples) {
  const Tensor x = testing::random_tensor({4, 64});
  const Tensor gradient = grad(sum(topk(x, 2).values), x);
  testing::check_elements(sum(gradient, 1), {4}, {2, 2, 2, 2});
  const Tensor mapped = vmap([](const Tensor& row) { return topk(row, 2).indices; })(x);
  BOOST_TEST(elements(mapped) == elements(topk(x, 2).indices));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
