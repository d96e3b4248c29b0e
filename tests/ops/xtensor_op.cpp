#include "autograd/ops/xtensor_op.hpp"

#include <boost/test/unit_test.hpp>

#if __has_include(<xtensor/core/xmath.hpp>)
#include <xtensor/core/xmath.hpp>
#else
#include <xtensor/xmath.hpp>
#endif

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(ops_xtensor_op)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::random_tensor;

const auto softsign = xtensor_op<double>(
    "softsign", [](const xt::xarray<double>& x) { return xt::xarray<double>(x / (1 + xt::abs(x))); },
    [](const auto&, const xt::xarray<double>& y, const xt::xarray<double>& ct) {
      return xt::xarray<double>(ct * xt::square(1 - xt::abs(y)));
    });

const auto dot = xtensor_op<double>(
    "dot", [](const xt::xarray<double>& a, const xt::xarray<double>& b) { return xt::xarray<double>(xt::sum(a * b)); },
    [](const xt::xarray<double>& a, const xt::xarray<double>& b, const auto&, const xt::xarray<double>& ct) {
      return std::tuple(xt::xarray<double>(ct * b), xt::xarray<double>(ct * a));
    },
    [](const std::vector<Shape>&) { return Shape{}; });

}  // namespace

// What refers to something else cannot be returned.
using Elements = xt::xarray<double>;
static_assert(detail::is_container<Elements> && detail::is_container<xt::xtensor<float, 2>>);
static_assert(!detail::is_container<decltype(std::declval<const Elements&>() * 2)>);
static_assert(!detail::is_container<decltype(xt::adapt(static_cast<double*>(nullptr), 1, xt::no_ownership(),
                                                       std::vector<std::size_t>{1}))>);
static_assert(detail::is_container<std::tuple<Elements, Elements>>);
static_assert(!detail::is_container<std::tuple<Elements, decltype(std::declval<const Elements&>() * 2)>>);

BOOST_AUTO_TEST_CASE(computes_and_differentiates) {
  const Tensor x = {-1.0, 0.0, 3.0};
  check_elements(softsign(x), {3}, {-0.5, 0, 0.75});
  check_elements(grad(sum(softsign(x)), x), {3}, {0.25, 1, 0.0625});
  check_grads([](const Tensors& t) { return softsign(t[0]) * t[0]; }, {random_tensor({3, 4}, 0.5, 2)}, {.order = 1});
}

BOOST_AUTO_TEST_CASE(several_inputs_and_a_shape_of_its_own) {
  const Tensor a = {1.0, 2.0};
  const Tensor b = {3.0, 4.0};
  check_elements(dot(a, b), {}, {11});
  const Tensors gradients = grad(dot(a, b) * 2.0, {a, b});
  check_elements(gradients[0], {2}, {6, 8});
  check_elements(gradients[1], {2}, {2, 4});
}

BOOST_AUTO_TEST_CASE(is_printed_under_its_name) {
  BOOST_TEST(print_graph(softsign(Tensor{1.0})).find("softsign(%0)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(second_derivatives_forward_mode_and_vmap_are_errors_that_say_so) {
  const Tensor x = {1.0, 2.0};
  const Tensor slope = grad(sum(softsign(x)), x);
  check_throws<GradientError>([&] { grad(sum(slope), x); }, {"[softsign] its derivative is written with xtensor arrays",
                                                             "cannot be differentiated again"});
  check_throws<GradientError>([&] { jvp(softsign(x), {x}, {x}); }, {"[softsign] it has no jvp rule"});
  check_throws<GradientError>([&] { vmap(softsign)(x); }, {"[softsign] it has no vmap rule"});
}

BOOST_AUTO_TEST_CASE(wrong_dtypes_and_shapes_are_errors) {
  check_throws<DTypeError>([] { softsign(Tensor{1.0F}); }, {"[softsign] it is written for float64, got float32"});
  const auto wrong_forward = xtensor_op<double>(
      "wrong",
      [](const auto&) {
        return xt::xarray<double>{1.0, 2.0};
      },
      [](const auto&, const auto&, const auto& ct) { return xt::xarray<double>(ct); });
  check_throws<ShapeError>([&] { wrong_forward(Tensor{1.0}).array(); },
                           {"[wrong] its forward function gave an array of shape (2,) where (1,) was expected"});
  const auto wrong_backward = xtensor_op<double>(
      "wrong", [](const auto& x) { return xt::xarray<double>(x); },
      [](const auto&, const auto&, const auto&) {
        return xt::xarray<double>{1.0, 2.0, 3.0};
      });
  const Tensor x = {1.0, 2.0};
  check_throws<ShapeError>([&] { grad(sum(wrong_backward(x)), x).array(); }, {"[wrong] its backward function gave"});
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ops_check_op)

using testing::check_throws;
using testing::random_tensor;

BOOST_AUTO_TEST_CASE(a_right_op_passes) {
  const auto call = [](const Tensors& x) { return silu(x[0]) * x[1]; };
  const auto reference = [](const Tensors& x) { return x[0] / (1.0 + exp(-x[0])) * x[1]; };
  const Tensors inputs = {random_tensor({3, 4}), random_tensor({3, 4}, -2, 2, 2)};
  BOOST_CHECK_NO_THROW(check_op(call, inputs, {.reference = reference, .elementwise = true}));
}

BOOST_AUTO_TEST_CASE(wrong_values_are_found) {
  check_throws<ValueError>(
      [] {
        check_op([](const Tensors& x) { return exp(x[0]); }, {Tensor{1.0}},
                 {.reference = [](const Tensors& x) { return x[0]; }});
      },
      {"[check_op] values differ from the reference"});
}

BOOST_AUTO_TEST_CASE(an_op_that_mixes_samples_is_not_elementwise) {
  check_throws<ValueError>(
      [] { check_op([](const Tensors& x) { return x[0] * sum(x[0]); }, {random_tensor({3})}, {.elementwise = true}); },
      {"[check_op] broadcasting"});
}

BOOST_AUTO_TEST_CASE(forward_mode_is_compared_with_reverse_mode) {
  const auto disagreeing = custom_jvp([](const Tensor& x) { return square(x); },
                                      [](const Tensors& x, const Tensor&, const Tensors& t) {
                                        return x[0] * t[0] + stop_gradient(x[0] * t[0]);  // not linear for reverse mode
                                      });
  check_throws<GradientError>(
      [&] {
        check_grads([&](const Tensors& x) { return disagreeing(x[0]); }, {Tensor{1.0, 2.0}});
      },
      {"[check_grads] forward and reverse mode disagree at order 1"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
