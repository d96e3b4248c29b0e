#include "autograd/transforms/derivatives.hpp"

#include <cmath>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(transforms_derivatives)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::close;
using testing::random_tensor;

// f: R³ -> R, with gradient (2 a b, a² + cos b, 3 c²).
Tensor f(const Tensor& x) { return x[0] * x[0] * x[1] + sin(x[1]) + x[2] * x[2] * x[2]; }

}  // namespace

BOOST_AUTO_TEST_CASE(jvp_is_the_derivative_along_the_tangent) {
  const Tensor x = {2.0, 3.0, 1.0};
  const Tensor t = {1.0, 0.5, -2.0};
  const auto [value, tangent] = jvp(f, {x}, {t});
  check_elements(value, {}, {12 + std::sin(3.0) + 1}, 1e-15);
  check_elements(tangent, {}, {12 + 0.5 * (4 + std::cos(3.0)) - 6}, 1e-15);
}

BOOST_AUTO_TEST_CASE(jvp_of_several_arguments_adds_up) {
  const auto product = [](const Tensor& a, const Tensor& b) { return matmul(a, b); };
  const Tensor a = random_tensor({2, 3}, -1, 1, 1);
  const Tensor b = random_tensor({3, 4}, -1, 1, 2);
  const Tensor da = random_tensor({2, 3}, -1, 1, 3);
  const Tensor db = random_tensor({3, 4}, -1, 1, 4);
  const auto [value, tangent] = jvp(product, {a, b}, {da, db});
  BOOST_TEST(close(value, matmul(a, b)));
  BOOST_TEST(close(tangent, matmul(da, b) + matmul(a, db)));
}

BOOST_AUTO_TEST_CASE(jvp_is_zero_where_nothing_depends_on_the_input) {
  const Tensor x = {1.0, 2.0};
  const Tensor t = {1.0, 1.0};
  const auto constant = [](const Tensor&) { return Tensor{5.0, 6.0, 7.0}; };
  check_elements(jvp(constant, {x}, {t}).second, {3}, {0, 0, 0});
  check_elements(jvp(x * stop_gradient(x), {x}, {t}), {2}, {1, 2});
}

BOOST_AUTO_TEST_CASE(jvp_refuses_tangents_that_do_not_fit) {
  const Tensor x = {1.0, 2.0};
  check_throws<ShapeError>([&] { jvp(sum(x), {x}, {Tensor{1.0}}); }, {"[jvp] tangent 0 is float64(1,)", "float64(2,)"});
  check_throws<DTypeError>([&] { jvp(sum(x), {x}, {zeros({2})}); }, {"[jvp] tangent 0 is float32(2,)", "float64(2,)"});
  check_throws<ValueError>([&] { jvp(sum(x), {x}, Tensors()); }, {"[jvp] 0 tangents for 1 inputs"});
  const Tensor labels = {1, 2};
  check_throws<DTypeError>([&] { jvp(sum(labels), {labels}, {labels}); }, {"not floating"});
}

BOOST_AUTO_TEST_CASE(jvp_of_inputs_that_depend_on_each_other_or_repeat) {
  const Tensor x = 2.0;
  const Tensor y = x * x;
  const Tensor one = 1.0;
  const Tensor zero = 0.0;
  check_elements(jvp(y * x, {x, y}, {one, zero}), {}, {12});  // as grad: through y as well
  check_elements(grad(y * x, {x, y})[0], {}, {12});
  check_elements(jvp(y, {x, x}, {one, Tensor(10.0)}), {}, {44});
}

BOOST_AUTO_TEST_CASE(a_long_history_behind_the_inputs_costs_nothing) {
  Tensor y = {1.0, 2.0};
  const auto f = [](const Tensor& v) { return sum(square(v)); };
  std::size_t visited = 0;
  for (int i = 0; i < 300; ++i) {
    const Tensor fresh = alias(y);
    visited = nodes_since(Tensors{fresh}, Tensors{f(fresh)}).nodes.size();
    y = y - 0.01 * grad(f)(y);
  }
  BOOST_TEST(visited == 3u);  // alias, square, sum
}

BOOST_AUTO_TEST_CASE(vjp_gives_the_value_and_a_pullback) {
  const auto g = [](const Tensor& a, const Tensor& b) { return a * b; };
  const Tensor a = {1.0, 2.0};
  const Tensor b = {3.0, 4.0};
  const auto [value, pullback] = vjp(g, {a, b});
  check_elements(value, {2}, {3, 8});
  const Tensors cotangents = pullback(Tensor{10.0, 100.0});
  check_elements(cotangents[0], {2}, {30, 400});
  check_elements(cotangents[1], {2}, {10, 200});
}

BOOST_AUTO_TEST_CASE(jacobians_agree_in_both_modes) {
  const Tensor w = random_tensor({4, 3}, -1, 1, 5);
  const auto g = [&](const Tensor& x) { return tanh(matmul(w, x)) * sum(x); };
  const Tensor x = {0.5, -0.25, 1.0};
  const Tensor by_shape = jacobian(g)(x);
  BOOST_TEST(by_shape.shape() == Shape({4, 3}));
  BOOST_TEST(close(jacobian(g, 0, JacobianMode::reverse)(x), by_shape));
  BOOST_TEST(close(jacobian(g, 0, JacobianMode::forward)(x), by_shape));
  const Tensor t = {1.0, 2.0, 3.0};
  BOOST_TEST(close(matmul(by_shape, t), jvp(g, {x}, {t}).second));
}

BOOST_AUTO_TEST_CASE(symmetric_jacobians_are_those_of_the_other_modes) {
  const Tensor w = random_tensor({6, 6}, -1, 1, 6);
  const auto g = grad([&](const Tensor& x) { return sum(tanh(matmul(w, reshape(x, {6})))) * sum(x * x); });
  const Tensor x = random_tensor({2, 3}, -1, 1, 7);
  const Tensor forward = jacobian(g, 0, JacobianMode::forward)(x);
  const Tensor symmetric = jacobian(g, 0, JacobianMode::symmetric)(x);
  BOOST_TEST(symmetric.shape() == Shape({2, 3, 2, 3}));
  BOOST_TEST(close(symmetric, forward));
  BOOST_TEST(sum(abs(forward)).item() > 1);
  check_throws<ShapeError>([&] { jacobian([](const Tensor& a) { return sum(a, 0); }, 0, JacobianMode::symmetric)(x); },
                           {"[jacobian] the output (3,) and the input (2, 3) are not of one shape"});
}

BOOST_AUTO_TEST_CASE(jacobian_keeps_all_axes) {
  const Tensor x = random_tensor({2, 3});
  const Tensor j = jacobian([](const Tensor& a) { return transpose(a) * 2.0; })(x);
  BOOST_TEST(j.shape() == Shape({3, 2, 2, 3}));
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t k = 0; k < 2; ++k) {
      BOOST_TEST((j[{i, k, k, i}]).item() == 2);
      BOOST_TEST(sum(abs(j[{i, k}])).item() == 2);
    }
  }
}

BOOST_AUTO_TEST_CASE(jacobian_has_the_dtype_of_the_output_in_both_modes) {
  const auto doubled = [](const Tensor& x) { return cast(x, DType::float32) * 2; };
  const Tensor x = {1.0, 2.0};
  for (const JacobianMode mode : {JacobianMode::reverse, JacobianMode::forward}) {
    const Tensor j = jacobian(doubled, 0, mode)(x);
    BOOST_TEST(j.dtype() == DType::float32);
    check_elements(j, {2, 2}, {2, 0, 0, 2});
  }
  check_throws<DTypeError>([&] { jacobian(x, Tensor{1, 2}); }, {"[jacobian] the input is int32(2,)"});
  check_throws<DTypeError>([&] { jacobian(x[range(0, 0)], Tensor{1, 2}); }, {"[jacobian] the input is int32(2,)"});
}

BOOST_AUTO_TEST_CASE(jacobian_with_respect_to_the_second_argument) {
  const auto g = [](const Tensor& a, const Tensor& b) { return a * b * b; };
  const Tensor j = jacobian(g, 1)(Tensor{2.0, 3.0}, Tensor{5.0, 7.0});
  check_elements(j, {2, 2}, {20, 0, 0, 42});
}

BOOST_AUTO_TEST_CASE(jacobian_of_what_does_not_depend_is_zero) {
  const Tensor x = {1.0, 2.0};
  check_elements(jacobian([](const Tensor&) { return Tensor{1.0}; })(x), {1, 2}, {0, 0});
  check_elements(jacobian([](const Tensor& a) { return a[range(0, 0)]; })(x), {0, 2}, {});
}

BOOST_AUTO_TEST_CASE(hessian_and_its_products) {
  const Tensor x = {2.0, 3.0, 1.0};
  const Tensor h = hessian(f)(x);
  check_elements(h, {3, 3}, {6, 4, 0, 4, -std::sin(3.0), 0, 0, 0, 6}, 1e-15);
  const Tensor v = {1.0, -1.0, 2.0};
  BOOST_TEST(close(hvp(f)(x, v), matmul(h, v)));
}

BOOST_AUTO_TEST_CASE(hessian_of_a_linear_function_is_zero) {
  const auto linear = [](const Tensor& x) { return sum(x * Tensor{1.0, 2.0}); };
  check_elements(hessian(linear)(Tensor{3.0, 4.0}), {2, 2}, {0, 0, 0, 0});
  check_elements(hvp(linear)(Tensor{3.0, 4.0}, Tensor{1.0, 1.0}), {2}, {0, 0});
}

BOOST_AUTO_TEST_CASE(forward_over_forward_and_reverse_over_forward) {
  const auto slope = [](const Tensor& x) {
    return jvp([](const Tensor& y) { return exp(y) * y; }, {x}, {Tensor(1.0)}).second;
  };
  const Tensor x = 0.5;
  const double second = std::exp(0.5) * 2.5;
  check_elements(jvp(slope, {x}, {Tensor(1.0)}).second, {}, {second}, 1e-14);
  check_elements(grad(slope)(x), {}, {second}, 1e-14);
}

BOOST_AUTO_TEST_CASE(linearize_is_linear_and_agrees_with_jvp) {
  const auto g = [](const Tensor& x) { return tanh(x) * sum(x); };
  const Tensor x = {0.3, -0.7};
  const auto [value, df] = linearize(g, {x});
  BOOST_TEST(close(value, g(x)));
  for (unsigned seed = 1; seed < 4; ++seed) {
    const Tensor t = random_tensor({2}, -1, 1, seed);
    BOOST_TEST(close(df({t}), jvp(g, {x}, {t}).second));
  }
  BOOST_TEST(close(df({Tensor{2.0, 0.0}}), 2.0 * df({Tensor{1.0, 0.0}})));
  check_throws<ShapeError>([&df = df] { df({Tensor(1.0)}); }, {"[linearize] tangent 0"});
  check_throws<DTypeError>([&df = df] { df({zeros({2})}); }, {"[linearize] tangent 0 is float32(2,)"});
  check_throws<ValueError>([&df = df] { df(Tensors()); }, {"[linearize] 0 tangents"});
}

BOOST_AUTO_TEST_CASE(tenth_derivative_of_a_composed_function) {
  // d¹⁰/dx¹⁰ exp(sin x) from the power series of exp and sin, summed to convergence, at x = 0: known integers.
  std::function<Tensor(const Tensor&)> g = [](const Tensor& x) { return exp(sin(x)); };
  const double expected[] = {1, 1, 1, 0, -3, -8, -3, 56, 217, 64, -2951};  // OEIS A002017
  for (const double derivative : expected) {
    check_elements(g(Tensor(0.0)), {}, {derivative}, 1e-9);
    g = [h = g](const Tensor& x) { return grad(h)(x); };
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
