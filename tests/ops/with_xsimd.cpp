// A program of its own: with this definition xtensor's containers have another allocator, and its loops other code.
#define XTENSOR_USE_XSIMD
#include <boost/test/unit_test.hpp>

#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xtensor.hpp>
#include <xtensor/core/xmath.hpp>
#else
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#endif

#include "autograd/autograd.hpp"

namespace {

using xgrad::Tensor;

static_assert(!std::same_as<xt::xarray<float>::allocator_type, std::allocator<float>>, "this file tests the other one");

}  // namespace

BOOST_AUTO_TEST_SUITE(ops_with_xsimd)

BOOST_AUTO_TEST_CASE(arrays_with_another_allocator_are_adopted_and_copied) {
  xt::xarray<double> a = {{1, 2, 3}, {4, 5, 6}};
  const Tensor copy = a;
  const double* data = a.data();
  const Tensor adopted = std::move(a);
  BOOST_TEST(adopted.array().data<double>() == data);
  BOOST_TEST(copy.array().data<double>() != data);
  BOOST_TEST(sum(adopted).item() == 21);
  BOOST_TEST(sum(copy).item() == 21);
}

BOOST_AUTO_TEST_CASE(expressions_are_evaluated) {
  const xt::xarray<float> a = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const xt::xtensor<float, 1> b = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  const Tensor x = a * 2.0f + b;
  BOOST_TEST(xgrad::allclose(x, 2 * Tensor(a) + 1));
  BOOST_TEST(x.value<float>()(8) == 19);
}

BOOST_AUTO_TEST_CASE(values_of_unaligned_memory_take_part_in_expressions) {
  const std::vector<float> memory = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const Tensor x = xgrad::borrow(memory.data() + 1, {11});
  const auto value = x.value<float>();
  const xt::xarray<float> doubled = value + value;
  BOOST_TEST(doubled(10) == 22);
  const xt::xarray<float> roots = xt::sqrt(value * value);
  BOOST_TEST(roots(5) == 6);
}

BOOST_AUTO_TEST_CASE(operators_mix_arrays_and_tensors) {
  const xt::xarray<double> a = {1, 2, 3};
  const Tensor x = {1.0, 2.0, 3.0};
  const Tensor loss = sum(a * x * x + a);
  BOOST_TEST(loss.item() == 42);
  const xt::xarray<double> gradient = grad(loss, x).value<double>();
  BOOST_TEST(gradient(2) == 18);
}

BOOST_AUTO_TEST_SUITE_END()
