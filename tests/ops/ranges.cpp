#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// Values and derivatives of numbers whose squares are too large or too small.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_ranges)

namespace {

using testing::check_elements;

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

BOOST_AUTO_TEST_CASE(values_are_in_range_in_float32) {
  check_elements(norm(Tensor{3e30F, 4e30F}), {}, {5e30}, 1e-7);
  check_elements(norm(Tensor{3e-30F, 4e-30F}) * 1e30F, {}, {5}, 1e-7);
  check_elements(norm(full({40, 3}, 1e25F), 0), {3}, std::vector<double>(3, 1e25 * std::sqrt(40)), 1e-7);
  check_elements(norm(full({100'000}, 1e25F)), {}, {1e25 * std::sqrt(1e5)}, 1e-7);
  const Tensor a = {1e-25F};
  check_elements(grad(sum(atan2(a, a)), a, Unreached::zeros), {1}, {0});
  check_elements(grad(sum(atan2(a, Tensor{1e-25F})), a), {1}, {5e24}, 1e-6);
  const Tensor far = {1e30F, -1e30F};
  check_elements(grad(sum(gelu(far, true)), far), {2}, {1, 0});
  const Tensor millions = {1e6F, 1000000.125F, 1000000.25F, 999999.875F};
  check_elements(variance(millions), {}, {0.01953125}, 1e-6);
  check_elements(stddev(millions), {}, {std::sqrt(0.01953125)}, 1e-6);
  check_elements(exp(Tensor{88.5F, 88.8F}), {2}, {2.723087930e38, inf}, 1e-7);
}

BOOST_AUTO_TEST_CASE(plans_and_single_nodes_agree_next_to_subnormal_numbers) {
  const auto power = compile([](const Tensor& x) { return pow(x, -2); });
  check_elements(power(Tensor{-5.5e-20F}), {1}, {3.305785e38}, 1e-6);
  check_elements(pow(Tensor{-5.5e-20F}, -2), {1}, {3.305785e38}, 1e-6);
  const auto signs = compile([](const Tensor& x) { return sign(x); });
  check_elements(signs(Tensor{1e-40F, -1e-40F, 2.0F, std::nanf("")}), {4}, {1, -1, 1, nan});
}

// However large an expression is, and whether it is compiled; but not in what is assigned.
BOOST_AUTO_TEST_CASE(subnormal_numbers_are_numbers_unless_they_are_assigned) {
  const Tensor tiny = {1e-38F, -3e-39F};
  const auto small = [](const Tensor& x) { return x * 0.25F * 4.0F; };
  const auto large = [](const Tensor& x) {
    Tensor y = x;
    for (int i = 0; i < 20; ++i) {
      y = sum(expand_dims(y * 0.25F, 0), 0) * 4.0F;
    }
    return y;
  };
  const double first = 1e-38F;
  const double second = -3e-39F;
  for (const auto& f : {std::function<Tensor(const Tensor&)>(small), std::function<Tensor(const Tensor&)>(large)}) {
    check_elements(f(tiny) / 1e-38F, {2}, {first / 1e-38, second / 1e-38}, 1e-5);
    check_elements(compile(f)(tiny) / 1e-38F, {2}, {first / 1e-38, second / 1e-38}, 1e-5);
    const Variable eager(ones({2}));
    eager.assign(f(tiny));
    check_elements(eager, {2}, {0, 0});
    const Variable compiled(ones({2}));
    compile([&](const Tensor& x) { compiled.assign(f(x)); })(tiny);
    check_elements(compiled, {2}, {0, 0});
  }
}

BOOST_AUTO_TEST_CASE(norms_along_every_axis_and_of_many) {
  for (const Shape& shape :
       {Shape{3, 5, 70}, Shape{2, 2000, 3}, Shape{1, 3, 40000}, Shape{1, 90000, 1}, Shape{4, 0, 2}}) {
    for (const DType dtype : {DType::float32, DType::float64}) {
      const Tensor x = cast(testing::random_tensor(shape), dtype);
      const double tolerance = dtype == DType::float32 ? 1e-6 : 1e-14;
      for (const Axes& axes : {Axes(0), Axes(1), Axes(2), Axes({0, 1}), Axes({0, 2}), Axes()}) {
        const Tensor plain = sqrt(sum(square(cast(x, DType::float64)), axes));
        check_elements(norm(x, axes), plain.shape(), testing::elements(plain), tolerance);
        const double large = dtype == DType::float32 ? 1e30 : 1e200;
        check_elements(norm(x * large, axes) / large, plain.shape(), testing::elements(plain), tolerance);
        check_elements(norm(x / large, axes) * large, plain.shape(), testing::elements(plain), tolerance);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
