#include "autograd/transforms/custom_rules.hpp"

#include <algorithm>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/runtime/pool.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(transforms_custom_rules)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::close;
using testing::random_tensor;

/// x, and how much memory there is while it is computed.
struct Watch {
  static constexpr std::string_view name = "watch";
  std::size_t* most;
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    std::copy_n(in[0].as<double>(), in[0].size(), out[0].as<double>());
    *most = std::max(*most, runtime::pool_status().in_use);
  }
  Tensors vjp(const Node&, const Cotangents& ct) const { return {apply_op(Watch{most}, {ct[0]})}; }
};

Tensor two_layers(const Tensor& x) { return tanh(sin(x) * exp(x)) * sum(x); }
Tensor loss(const Tensor& x) { return sum(two_layers(x)); }

}  // namespace

BOOST_AUTO_TEST_CASE(checkpoint_changes_no_derivative) {
  const Tensor x = {0.3, -0.7, 1.1};
  const auto saved = [](const Tensor& v) { return sum(checkpoint(two_layers)(v)); };
  BOOST_TEST(close(saved(x), loss(x)));
  BOOST_TEST(close(grad(saved)(x), grad(loss)(x)));
  BOOST_TEST(close(hessian(saved)(x), hessian(loss)(x)));
  BOOST_TEST(close(hvp(saved)(x, x), hvp(loss)(x, x)));
  const Tensor xs = stack({x, 2.0 * x});
  BOOST_TEST(close(vmap(grad(saved))(xs), vmap(grad(loss))(xs)));
  BOOST_TEST(close(jvp(saved, {x}, {x}).second, jvp(loss, {x}, {x}).second));
}

BOOST_AUTO_TEST_CASE(checkpoint_passes_gradients_to_tensors_it_captures) {
  const Variable w(random_tensor({3}), "w");
  const auto layer = checkpoint([&](const Tensor& x) { return tanh(x * w); });
  const Tensor x = random_tensor({3}, -1, 1, 2);
  const Tensor y = sum(layer(layer(x)));
  const Tensor plain = sum(tanh(tanh(x * w) * w));
  BOOST_TEST(close(grad(y, w), grad(plain, w)));
}

BOOST_AUTO_TEST_CASE(checkpoint_of_a_function_that_uses_captured_tensors_alone) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  const Tensor x = {3.0, 4.0};
  check_elements(grad(checkpoint([&](const Tensor&) { return sum(w * w); })(x), w), {2}, {2, 4});
  check_elements(grad(checkpoint([&] { return sum(w * w); })(), w), {2}, {2, 4});
  check_elements(grad(sum(x) + checkpoint([&](const Tensor&) { return w.read()[1]; })(x), w), {2}, {0, 1});
  check_elements(grad(checkpoint([](const Tensor& t) { return t; })(x)[0], x), {2}, {1, 0});
}

BOOST_AUTO_TEST_CASE(checkpoint_keeps_less_in_memory) {
  std::size_t most = 0;
  const auto stretch = [&most](Tensor x) {
    for (int i = 0; i < 20; ++i) {
      x = apply_op(Watch{&most}, {sin(x) * 1.01});
    }
    return x;
  };
  const auto peak = [&most](const auto& f) {
    most = 0;
    const Tensor x = random_tensor({100'000});
    Tensor y = x;
    for (int i = 0; i < 5; ++i) {
      y = f(y);
    }
    grad(sum(y), x).array();
    return most;
  };
  const std::size_t everything_kept = peak(stretch);
  const std::size_t checkpointed = peak(checkpoint(stretch));
  BOOST_TEST(checkpointed < everything_kept / 2);
}

BOOST_AUTO_TEST_CASE(checkpoint_never_calls_the_function_again) {
  int calls = 0;
  const auto f = checkpoint([&](const Tensor& x) {
    ++calls;
    return square(x);
  });
  grad(sum(f(Tensor{1.0, 2.0})), f(Tensor{1.0, 2.0}), Unreached::zeros);
  BOOST_TEST(calls == 2);
  const Tensor x = {1.0, 2.0};
  check_elements(grad(sum(f(x)), x), {2}, {2, 4});
  BOOST_TEST(calls == 3);
}

BOOST_AUTO_TEST_CASE(checkpoint_of_many_samples_keeps_as_little) {
  const auto stretch = [](Tensor x) {
    for (int i = 0; i < 20; ++i) {
      x = sin(x) * 1.01;
    }
    return x;
  };
  const Tensor samples = random_tensor({10, 2'000});
  const auto gradient = [](const auto& f) {
    return grad([f](Tensor x) {
      for (int i = 0; i < 5; ++i) {
        x = vmap(f)(x);
      }
      return sum(x);
    });
  };
  const auto plain = gradient(stretch);
  const auto checkpointed = gradient(checkpoint(stretch));
  BOOST_TEST(close(checkpointed(samples), plain(samples)));
  BOOST_TEST(compile(checkpointed).plan(samples).peak_bytes() < compile(plain).plan(samples).peak_bytes() * 2 / 3);

  const Tensor w = {0.5, 1.5};  // the same for all samples
  const auto weighted = [](const Tensor& x, const Tensor& v) { return sum(tanh(x * v) * v); };
  const auto total = [&](const auto& f) {
    return [&](const Tensor& v) { return sum(vmap(f, {0, unmapped})(reshape(samples, {10'000, 2}), v)); };
  };
  BOOST_TEST(close(grad(total(checkpoint(weighted)))(w), grad(total(weighted))(w)));
  BOOST_TEST(close(hessian(total(checkpoint(weighted)))(w), hessian(total(weighted))(w)));
}

BOOST_AUTO_TEST_CASE(vmap_of_a_checkpoint_whose_result_is_the_same_for_all_samples) {
  const auto second = checkpoint([](const Tensor&, const Tensor& b) { return b * 2.0; });
  const Tensor result = vmap(second, {0, unmapped})(random_tensor({3, 2}), Tensor{1.0, 2.0});
  check_elements(result, {3, 2}, {2, 4, 2, 4, 2, 4});
}

BOOST_AUTO_TEST_CASE(custom_vjp_replaces_the_derivative) {
  // Clips the gradient that passes, which no ordinary op does.
  const auto clipped =
      custom_vjp([](const Tensor& x) { return x; },
                 [](const Tensors&, const Tensor&, const Tensor& ct) -> Tensors { return {clip(ct, -1, 1)}; });
  const Tensor x = {1.0, 2.0};
  check_elements(grad(sum(clipped(x) * Tensor{0.5, 10.0}), x), {2}, {0.5, 1});
}

BOOST_AUTO_TEST_CASE(custom_vjp_has_higher_orders_and_vmap) {
  const auto exponential =
      custom_vjp([](const Tensor& x) { return exp(x); },
                 [](const Tensors&, const Tensor& y, const Tensor& ct) -> Tensors { return {ct * y}; });
  const auto f = [&](const Tensor& x) { return sum(exponential(x) * x); };
  const auto plain = [](const Tensor& x) { return sum(exp(x) * x); };
  const Tensor x = {0.5, 1.0};
  BOOST_TEST(close(grad(f)(x), grad(plain)(x)));
  const auto second = [](const auto& g) { return grad([g](const Tensor& v) { return sum(grad(g)(v)); }); };
  BOOST_TEST(close(second(f)(x), second(plain)(x)));
  const Tensor xs = stack({x, 2.0 * x, 3.0 * x});
  BOOST_TEST(close(vmap(grad(f))(xs), vmap(grad(plain))(xs)));
  check_throws<GradientError>([&] { jvp(f, {x}, {x}); }, {"[custom_vjp] it has no jvp rule"});
}

BOOST_AUTO_TEST_CASE(a_rule_is_mapped_once_for_all_arguments) {
  int calls = 0;
  const auto product = custom_vjp([](const Tensor& a, const Tensor& b) { return a * b; },
                                  [&](const Tensors& in, const Tensor&, const Tensor& ct) -> Tensors {
                                    ++calls;
                                    return {ct * in[1], ct * in[0]};
                                  });
  const auto f = [&](const Tensor& x) { return sum(product(x, exp(x))); };
  const auto plain = [](const Tensor& x) { return sum(x * exp(x)); };
  const Tensor xs = {{0.5, 1.0}, {1.5, 2.0}};
  BOOST_TEST(close(vmap(grad(f))(xs), vmap(grad(plain))(xs)));
  calls = 0;
  const Tensor mapped = grad([&](const Tensor& x) { return sum(vmap(f)(x)); })(xs);
  BOOST_TEST(close(mapped, grad([&](const Tensor& x) { return sum(vmap(plain)(x)); })(xs)));
  BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(custom_jvp_has_both_modes) {
  const auto exponential = custom_jvp([](const Tensor& x) { return exp(x); },
                                      [](const Tensors&, const Tensor& y, const Tensors& t) { return t[0] * y; });
  const auto f = [&](const Tensor& x) { return sum(exponential(x) * x); };
  const auto plain = [](const Tensor& x) { return sum(exp(x) * x); };
  const Tensor x = {0.5, 1.0};
  BOOST_TEST(close(jvp(f, {x}, {x}).second, jvp(plain, {x}, {x}).second));
  BOOST_TEST(close(grad(f)(x), grad(plain)(x)));
  BOOST_TEST(close(hessian(f)(x), hessian(plain)(x)));
  const Tensor xs = stack({x, 2.0 * x});
  BOOST_TEST(close(vmap(grad(f))(xs), vmap(grad(plain))(xs)));
}

BOOST_AUTO_TEST_CASE(custom_rules_of_several_arguments) {
  const auto product = custom_vjp([](const Tensor& a, const Tensor& b) { return a * b; },
                                  [](const Tensors& x, const Tensor&, const Tensor& ct) -> Tensors {
                                    return {ct * x[1], Tensor()};  // b counts as a constant
                                  });
  const Tensor a = {1.0, 2.0};
  const Tensor b = {3.0, 4.0};
  const Tensors gradients = grad(sum(product(a, b)), {a, b}, Unreached::zeros);
  check_elements(gradients[0], {2}, {3, 4});
  check_elements(gradients[1], {2}, {0, 0});
}

BOOST_AUTO_TEST_CASE(custom_rules_of_functions_that_take_indices) {
  const auto sum_of = [](const Tensor& x, const Tensor& i) { return sum(take(x, i)); };
  const auto forward = custom_jvp(sum_of, [](const Tensors& arguments, const Tensor&, const Tensors& tangents) {
    return sum(take(tangents[0], arguments[1]));
  });
  const auto backward = custom_vjp(sum_of, [](const Tensors& arguments, const Tensor&, const Tensor& ct) -> Tensors {
    return {scatter_add(zeros_like(arguments[0]), arguments[1], ct), Tensor()};
  });
  const Tensor x = {1.0, 2.0, 3.0};
  const Tensor i = {0, 2, 2};
  check_elements(grad(forward)(x, i), {3}, {1, 0, 2});
  check_elements(grad(backward)(x, i), {3}, {1, 0, 2});
  check_elements(vmap(grad(forward), {0, unmapped})(stack({x, x}), i), {2, 3}, {1, 0, 2, 1, 0, 2});
  check_elements(jvp([&](const Tensor& v) { return forward(v, i); }, {x}, {x}).second, {}, {7});
}

BOOST_AUTO_TEST_CASE(an_empty_rule_is_an_error) {
  const auto same = [](const Tensor& v) { return v * 1.0; };
  check_throws<ValueError>([&] { custom_vjp(same, VjpRule())(ones({2})); }, {"[custom_vjp]", "custom_rules.cpp:"});
  check_throws<ValueError>([&] { custom_jvp(same, JvpRule())(ones({2})); }, {"[custom_jvp]", "custom_rules.cpp:"});
}

BOOST_AUTO_TEST_CASE(wrong_results_of_rules_are_errors) {
  const Tensor x = {1.0, 2.0};
  const auto too_many = custom_vjp([](const Tensor& v) { return v; },
                                   [](const Tensors&, const Tensor&, const Tensor& ct) -> Tensors {
                                     return {ct, ct};
                                   });
  check_throws<GradientError>([&] { grad(sum(too_many(x)), x); },
                              {"[custom_vjp] the rule gave 2 cotangents for 1 arguments"});
  const auto wrong_shape = custom_jvp([](const Tensor& v) { return v; },
                                      [](const Tensors&, const Tensor&, const Tensors&) {
                                        return Tensor{1.0, 2.0, 3.0};
                                      });
  check_throws<GradientError>([&] { jvp(wrong_shape, {x}, {x}); },
                              {"[custom_jvp] its jvp rule gave float64(3,)", "float64(2,)"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
