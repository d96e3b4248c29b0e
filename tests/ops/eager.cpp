#include <cmath>
#include <limits>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_eager)

namespace {

using testing::check_elements;
using testing::check_throws;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

// As numpy.unique(x, return_index=True, return_inverse=True, return_counts=True) has it.
BOOST_AUTO_TEST_CASE(unique_tells_the_different_elements_and_how_they_make_up_the_tensor) {
  const Tensor x = {{3.0, -1.0, 3.0}, {nan, 0.0, nan}};
  const Unique parts = unique(x);
  check_elements(parts.values, {4}, {-1, 0, 3, nan});
  check_elements(parts.indices, {4}, {1, 4, 0, 3});
  check_elements(parts.inverse, {2, 3}, {2, 0, 2, 3, 1, 3});
  check_elements(parts.counts, {4}, {1, 1, 2, 2});
  BOOST_TEST(allclose(take(parts.values, parts.inverse), x, 0, 0, true));
  BOOST_TEST(parts.inverse.dtype() == DType::int64);
}

BOOST_AUTO_TEST_CASE(unique_takes_every_dtype_and_no_elements) {
  for (const DType dtype : testing::every_dtype) {
    check_elements(unique(cast(Tensor{1.0, 0.0, 1.0}, dtype)).values, {2}, {0, 1});
    BOOST_TEST(unique(zeros({3}, dtype)).values.dtype() == dtype);
    const Unique none = unique(zeros({0, 2}, dtype));
    BOOST_TEST(none.values.shape() == Shape({0}));
    BOOST_TEST(none.inverse.shape() == Shape({0, 2}));
  }
  check_elements(unique(Tensor(7.0)).values, {1}, {7});
}

BOOST_AUTO_TEST_CASE(derivatives_of_unique_go_to_the_first_of_each) {
  const Tensor x = {2.0, 1.0, 2.0};
  check_elements(grad(sum(unique(x).values * Tensor{10.0, 20.0}), x), {3}, {20, 10, 0});
}

BOOST_AUTO_TEST_CASE(argwhere_tells_where_elements_are_not_zero) {
  check_elements(argwhere(Tensor{{0.0, 2.0, nan}, {-1.0, 0.0, 0.0}}), {3, 2}, {0, 1, 0, 2, 1, 0});
  check_elements(argwhere(Tensor{false, true}), {1, 1}, {1});
  BOOST_TEST(argwhere(zeros({2, 3, 4})).shape() == Shape({0, 3}));
  BOOST_TEST(argwhere(Tensor(5.0)).shape() == Shape({1, 0}));
  BOOST_TEST(argwhere(Tensor(0.0)).shape() == Shape({0, 0}));
}

BOOST_AUTO_TEST_CASE(masked_select_picks_and_broadcasts) {
  const Tensor x = {{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}};
  check_elements(masked_select(x, x > 2.5), {4}, {3, 4, 5, 6});
  check_elements(masked_select(x, Tensor{true, false, true}), {4}, {1, 3, 4, 6});
  BOOST_TEST(masked_select(x, x > 9.0).shape() == Shape({0}));
  check_throws<DTypeError>([&] { masked_select(x, x); }, {"[masked_select]", "float64", "eager.cpp"});
  check_throws<ShapeError>([&] { masked_select(x, Tensor{true, false}); }, {"[masked_select]", "(2, 3)", "(2,)"});
}

BOOST_AUTO_TEST_CASE(masked_select_has_derivatives_of_every_order_and_maps) {
  const Tensor mask = {true, false, true};
  check_grads([&](const Tensors& x) { return exp(masked_select(x[0], mask)); }, {{0.5, 1.0, -0.3}});
  const Tensor rows = {{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}};
  check_elements(vmap([&](const Tensor& x) { return masked_select(x, mask); })(rows), {2, 2}, {1, 3, 4, 6});
}

// Results that depend on elements have no place in a plan, but for what a known mask picks.
BOOST_AUTO_TEST_CASE(compiled_functions_refuse_what_reads_elements) {
  const auto check_refused = [](const auto& f) {
    check_throws<ValueError>([&] { compile(f)(Tensor{1.0, 2.0}); }, {"no value while it is traced"});
  };
  check_refused([](const Tensor& x) { return unique(x).values; });
  check_refused([](const Tensor& x) { return masked_select(x, x > 0); });
  check_refused([](const Tensor& x) { return argwhere(x); });
  const auto first = compile([](const Tensor& x) { return masked_select(x, Tensor{true, false}); });
  check_elements(first(Tensor{1.0, 2.0}), {1}, {1});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
