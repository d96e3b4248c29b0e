#include <cmath>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/plan/compile.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(plan_compile_transforms)

namespace {

using testing::check_elements;
using testing::check_throws;

Tensor cubes(const Tensor& x) { return sum(x * x * x); }

}  // namespace

BOOST_AUTO_TEST_CASE(gradients_of_any_order_inside) {
  const Tensor x = {1.0, 2.0};
  check_elements(compile([](const Tensor& t) { return grad(cubes(t), t); })(x), {2}, {3, 12});
  check_elements(compile(grad(cubes))(x), {2}, {3, 12});
  check_elements(compile([](const Tensor& t) { return grad(sum(grad(cubes(t), t)), t); })(x), {2}, {6, 12});
  const auto [value, dx] = compile(value_and_grad(cubes))(x);
  check_elements(value, {}, {9});
  check_elements(dx, {2}, {3, 12});
  const auto step = compile(value_and_grad([](const Tensor& a, const Tensor& b) { return sum(a * a * b); }, {0, 1}));
  const auto [product, gradients] = step(x, Tensor{3.0, 4.0});
  check_elements(product, {}, {19});
  check_elements(gradients.at(0), {2}, {6, 16});
  check_elements(gradients.at(1), {2}, {1, 4});
}

BOOST_AUTO_TEST_CASE(other_transformations_inside) {
  const Tensor x = {1.0, 2.0};
  check_elements(compile(hessian(cubes))(x), {2, 2}, {6, 0, 0, 12});
  check_elements(compile(jacobian([](const Tensor& t) { return t * t; }))(x), {2, 2}, {2, 0, 0, 4});
  check_elements(compile(hvp(cubes))(x, Tensor{1.0, -1.0}), {2}, {6, -12});
  check_elements(compile(vmap(grad(cubes)))(Tensor{{1.0, 2.0}, {3.0, 4.0}}), {2, 2}, {3, 12, 27, 48});
  check_elements(compile([](const Tensor& t) { return linearize(cubes, {t}).second({t}); })(x), {}, {27});
  check_elements(compile([](const Tensor& t) { return jvp(cubes, {t}, {ones_like(t)}).second; })(x), {}, {15});
  check_elements(compile(grad([](const Tensor& t) { return checkpoint(cubes)(t); }))(x), {2}, {3, 12});
}

BOOST_AUTO_TEST_CASE(gradients_with_respect_to_variables_inside) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  const auto step = compile([&](const Tensor& x) {
    const Tensor loss = sum(w * w * x);
    const Tensor g = grad(loss, w);
    w.assign(w - g);
    return g;
  });
  const Tensor x = {1.0, 3.0};
  check_elements(step(x), {2}, {2, 12});
  check_elements(w, {2}, {-1, -10});
  check_elements(step(x), {2}, {-2, -60});
}

BOOST_AUTO_TEST_CASE(checkpoints_inside_may_capture_arguments_and_variables) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  const auto step = compile([&](const Tensor& x, const Tensor& y) {
    w.assign(w + 1.0);
    const auto f = checkpoint([&](const Tensor& t) { return sum(t * t * w * y); });
    return grad(f(x), {x, y, w});
  });
  const Tensors gradients = step(Tensor{1.0, 2.0}, Tensor{5.0, 7.0});
  check_elements(gradients.at(0), {2}, {20, 84});  // 2 x w y, w = (2, 3)
  check_elements(gradients.at(1), {2}, {2, 12});
  check_elements(gradients.at(2), {2}, {5, 28});
}

BOOST_AUTO_TEST_CASE(derivatives_do_not_flow_behind_an_assignment) {
  const auto f = [](const Variable& w, const Tensor& x) {
    w.assign(x * x);
    return grad(sum(w * x), x, Unreached::zeros);
  };
  const Tensor x = {2.0, 3.0};
  const Variable w(Tensor{0.0, 0.0}, "w");
  const std::vector<double> expected{4, 9};  // w, not 3 x²
  check_elements(f(w, x), {2}, expected);
  check_elements(compile([&](const Tensor& t) { return f(w, t); })(x), {2}, expected);
  const auto assigns_itself = compile([&](const Tensor& t) {
    w.assign(t);
    return std::pair(grad(sum(w * t), t), grad(sum(w * t), w));
  });
  const auto [by_x, by_w] = assigns_itself(x);
  check_elements(by_x, {2}, {2, 3});
  check_elements(by_w, {2}, {2, 3});
}

BOOST_AUTO_TEST_CASE(a_gradient_after_an_assignment_is_an_error_inside_too) {
  const Variable w(Tensor{1.0}, "weight");
  const auto step = compile([&](const Tensor& x) {
    const Tensor loss = sum(w * x);
    w.assign(w + 1.0);
    return grad(loss, w);
  });
  check_throws<GradientError>([&] { step(Tensor{1.0}); }, {"'weight'", "assigned since"});
}

BOOST_AUTO_TEST_CASE(a_compiled_function_can_be_transformed) {
  const auto step = compile(cubes);
  const Tensor x = {1.0, 2.0};
  check_elements(grad(step)(x), {2}, {3, 12});
  check_elements(grad([&](const Tensor& t) { return step(sin(t)) * 2.0; })(Tensor{0.5}), {1},
                 {6 * std::sin(0.5) * std::sin(0.5) * std::cos(0.5)}, 1e-15);
  check_elements(hessian(step)(x), {2, 2}, {6, 0, 0, 12});
  check_elements(vmap(step)(Tensor{{1.0, 2.0}, {3.0, 4.0}}), {2}, {9, 91});
  check_elements(jvp(step, {x}, {ones_like(x)}).second, {}, {15});
  check_elements(linearize(step, {x}).second({x}), {}, {27});
  check_elements(vjp(step, {x}).second(Tensor(2.0)).at(0), {2}, {6, 24});
  check_elements(compile(grad(step))(x), {2}, {3, 12});
  BOOST_TEST(step.trace_count() == 0u);
}

BOOST_AUTO_TEST_CASE(values_read_inside_a_transformation_do_not_hide_it) {
  const auto step = compile(cubes);
  const auto f = [&](const Tensor& t) {
    const Tensor doubled = t * 2.0;
    doubled.array();
    t.array();
    return step(t) + step(doubled);
  };
  check_elements(grad(f)(Tensor{1.0}), {1}, {27});
}

BOOST_AUTO_TEST_CASE(finished_results_have_no_gradient_and_the_error_says_why) {
  const Tensor x = {1.0, 2.0};
  const Variable w(Tensor{1.0, 1.0}, "w");
  const auto step = compile([&](const Tensor& t) { return sum(t * w); });
  const Tensor y = step(x);
  check_throws<GradientError>([&] { grad(y, x); }, {"have no history", "call grad inside compile"});
  check_throws<GradientError>([&] { grad(y * 2.0, w); }, {"'w'", "call grad inside compile"});
  check_elements(grad(y, x, Unreached::zeros), {2}, {0, 0});
  check_elements(grad(y * y, y), {}, {6});
}

BOOST_AUTO_TEST_CASE(a_tensor_of_a_transformation_cannot_be_captured) {
  const auto captures = [](const Tensor& w) {
    return compile([&](const Tensor& x) { return sum(w * x); })(Tensor{3.0});
  };
  const auto captures_computed = [&](const Tensor& w) { return captures(w * 2.0); };
  const std::initializer_list<std::string_view> words = {"[compile]", "captures", "as an argument"};
  check_throws<ValueError>([&] { grad(captures)(Tensor{1.0}); }, words);
  check_throws<ValueError>([&] { grad(captures_computed)(Tensor{1.0}); }, words);
  check_throws<ValueError>([&] { vmap(captures)(Tensor{{1.0}, {2.0}}); }, words);
  const auto passes = [](const Tensor& w) {
    return compile([](const Tensor& a, const Tensor& b) { return sum(a * b); })(w, Tensor{3.0});
  };
  check_elements(grad(passes)(Tensor{1.0}), {1}, {3});
}

BOOST_AUTO_TEST_CASE(results_of_transformations_that_are_over_are_tensors_like_others) {
  const Tensor x = {1.0, 2.0};
  const auto twice = compile([](const Tensor& t) { return t * 2.0; });
  check_elements(twice(grad(cubes)(x)), {2}, {6, 24});
  check_elements(twice(jvp(cubes, {x}, {x}).second), {}, {54});
  check_elements(twice(checkpoint(cubes)(x)), {}, {18});
  check_elements(twice(linearize(cubes, {x}).second({x})), {}, {54});
  BOOST_TEST(twice.trace_count() == 2u);

  const Tensor captured = grad(cubes)(x);
  const auto plus = compile([&](const Tensor& t) { return t + captured; });
  check_elements(plus(x), {2}, {4, 14});
  BOOST_TEST(plus.trace_count() == 1u);
  check_elements(grad([&](const Tensor& t) { return sum(plus(t) * grad(cubes)(t)); })(x), {2}, {27, 180});
}

BOOST_AUTO_TEST_CASE(a_tensor_of_one_sample_cannot_leave_its_vmap) {
  const Variable last(Tensor(0.0), "last");
  const auto step = compile(vmap([&](const Tensor& sample) {
    last.assign(sum(sample));
    return sample * 2.0;
  }));
  check_throws<ValueError>([&] { step(Tensor{{1.0}, {2.0}}); }, {"[compile]", "one sample of vmap", "variable"});
  BOOST_TEST(last.item() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
