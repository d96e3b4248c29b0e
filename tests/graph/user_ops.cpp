#include "user_ops.hpp"

#include <boost/test/unit_test.hpp>

#include "autograd/transforms/check_grads.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(graph_user_ops)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::own_softsign;
using testing::random_tensor;

/// sin and cos at once.
struct SinCos {
  static constexpr std::string_view name = "sincos";
  Specs infer(Inputs in) const { return {{in[0].shape(), in[0].dtype()}, {in[0].shape(), in[0].dtype()}}; }
  void eval(ConstViews in, Views out) const {
    for (std::int64_t i = 0; i < in[0].size(); ++i) {
      out[0].as<double>()[i] = std::sin(in[0].as<double>()[i]);
      out[1].as<double>()[i] = std::cos(in[0].as<double>()[i]);
    }
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    Tensor gradient;
    if (ct[0].defined()) {
      gradient = ct[0] * node.output(1);
    }
    if (ct[1].defined()) {
      const Tensor term = ct[1] * -node.output(0);
      gradient = gradient.defined() ? gradient + term : term;
    }
    return {gradient};
  }
};

/// The square, whose rule is what a test says.
struct Faulty {
  static constexpr std::string_view name = "faulty";
  Tensors (*rule)(const Tensor& x, const Tensor& ct);
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    for (std::int64_t i = 0; i < in[0].size(); ++i) {
      out[0].as<double>()[i] = in[0].as<double>()[i] * in[0].as<double>()[i];
    }
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const { return rule(node.input(0), ct[0]); }
};

auto faulty(Tensors (*rule)(const Tensor& x, const Tensor& ct)) {
  return [rule](const Tensors& x) { return apply_op(Faulty{rule}, {x[0]}); };
}

/// Has no derivative rule.
struct Opaque {
  static constexpr std::string_view name = "opaque";
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const { *out[0].as<double>() = *in[0].as<double>(); }
};

/// An op with attributes of every kind, for printing.
struct Decorated {
  static constexpr std::string_view name = "decorated";
  bool flag;
  std::int64_t count;
  double factor;
  DType dtype;
  Shape shape;
  std::string label;
  static constexpr auto attributes =
      fields("flag", &Decorated::flag, "count", &Decorated::count, "factor", &Decorated::factor, "dtype",
             &Decorated::dtype, "shape", &Decorated::shape, "label", &Decorated::label);
  Spec infer(Inputs) const { return {shape, dtype}; }
  void eval(ConstViews, Views) const {}
};

const Tensors point = {random_tensor({3}, 0.5, 2)};

}  // namespace

BOOST_AUTO_TEST_CASE(an_op_of_the_users_own_is_differentiated_twice) {
  const Tensor x = {-1.0, 0.5, 3.0};
  const Tensor y = own_softsign(x);
  check_elements(y, {3}, {-0.5, 0.5 / 1.5, 0.75}, 1e-15);
  const Tensor dx = grad(sum(y), x);
  check_elements(dx, {3}, {0.25, 1 / 2.25, 0.0625}, 1e-15);
  check_elements(grad(sum(dx), x), {3}, {0.25, -2 / std::pow(1.5, 3), -2 / 64.0}, 1e-15);
  check_grads([](const Tensors& t) { return own_softsign(t[0]); }, {random_tensor({4, 3}, 0.2, 2)});
}

BOOST_AUTO_TEST_CASE(an_op_with_two_outputs) {
  const Tensor x = {0.3, 1.2};
  const Tensors outputs = apply_op_all(SinCos(), Inputs(&x, 1));
  BOOST_TEST(outputs.size() == 2u);
  check_elements(outputs[0], {2}, {std::sin(0.3), std::sin(1.2)}, 1e-15);
  check_elements(grad(sum(outputs[0]), x), {2}, {std::cos(0.3), std::cos(1.2)}, 1e-15);
  check_elements(grad(sum(outputs[1]), x), {2}, {-std::sin(0.3), -std::sin(1.2)}, 1e-15);
  check_elements(grad(sum(square(outputs[0]) + square(outputs[1])), x), {2}, {0, 0}, 1e-15);
  check_grads(
      [](const Tensors& t) {
        const Tensors both = apply_op_all(SinCos(), t);
        return both[0] * exp(both[1]);
      },
      {x});
}

BOOST_AUTO_TEST_CASE(rules_that_return_the_wrong_thing_are_named) {
  const Tensor& x = point[0];
  const auto gradient = [&](Tensors (*rule)(const Tensor&, const Tensor&)) {
    return [&x, rule] { grad(sum(faulty(rule)({x})), x); };
  };
  check_throws<GradientError>(gradient([](const Tensor&, const Tensor&) { return Tensors(); }),
                              {"[faulty]", "0 tensors", "1 inputs"});
  check_throws<GradientError>(gradient([](const Tensor&, const Tensor& ct) { return Tensors{ct, ct}; }), {"2 tensors"});
  check_throws<GradientError>(
      gradient([](const Tensor&, const Tensor&) { return Tensors{zeros({2}, DType::float64)}; }),
      {"[faulty]", "float64(2,)", "float64(3,)", "user_ops.cpp:"});
  check_throws<GradientError>(
      gradient([](const Tensor&, const Tensor& ct) { return Tensors{cast(ct, DType::float32)}; }),
      {"[faulty]", "float32(3,)", "float64(3,)"});
  // A rule need not sum over axes along which its input was broadcast.
  check_elements(grad(sum(faulty([](const Tensor& a, const Tensor& ct) {
                        return Tensors{broadcast_to(2.0 * a * ct, {5, 3})};
                      })({x})),
                      x),
                 {3}, testing::elements(10.0 * x), 1e-15);
}

BOOST_AUTO_TEST_CASE(an_undefined_gradient_is_none) {
  const Tensor& x = point[0];
  const Tensor y = faulty([](const Tensor&, const Tensor&) { return Tensors(1); })({x});
  check_throws<GradientError>([&] { grad(sum(y), x); }, {"does not depend"});
  check_elements(grad(sum(y), x, Unreached::zeros), {3}, {0, 0, 0});
}

BOOST_AUTO_TEST_CASE(an_op_without_a_rule_stops_the_derivative) {
  const Tensor x = 2.0;
  const Tensor y = apply_op(Opaque(), {x});
  BOOST_TEST(y.item() == 2);
  check_throws<GradientError>([&] { grad(y * x, x); }, {"[opaque]", "no vjp rule", "stop_gradient", "user_ops.cpp:"});
  BOOST_TEST(grad(x * apply_op(Opaque(), {stop_gradient(x)}), x).item() == 2);
}

BOOST_AUTO_TEST_CASE(attributes_are_printed) {
  const Tensor x = apply_op(Decorated{true, -3, 0.5, DType::int32, {2, 1}, "abc"}, {});
  BOOST_TEST(attributes_text(x.node().operation()) ==
             "flag=true, count=-3, factor=0.5, dtype=int32, shape=(2, 1), label=abc");
  BOOST_TEST(x.node().name() == "decorated");
  BOOST_TEST(x.node().as<Decorated>()->factor == 0.5);
  BOOST_TEST(x.node().as<Opaque>() == nullptr);
}

BOOST_AUTO_TEST_CASE(check_grads_finds_a_wrong_factor) {
  check_throws<GradientError>(
      [] { check_grads(faulty([](const Tensor& x, const Tensor& ct) { return Tensors{3.0 * x * ct}; }), point); },
      {"[check_grads]", "order 1", "vjp rule", "input 0"});
  check_throws<GradientError>(
      [] { check_grads(faulty([](const Tensor& x, const Tensor& ct) { return Tensors{2.0001 * x * ct}; }), point); },
      {"order 1"});
}

BOOST_AUTO_TEST_CASE(check_grads_finds_a_rule_that_is_wrong_at_second_order_only) {
  const auto f = faulty([](const Tensor& x, const Tensor& ct) { return Tensors{2.0 * stop_gradient(x) * ct}; });
  check_grads(f, point, {.order = 1});
  check_throws<GradientError>([&] { check_grads(f, point); }, {"order 2", "order 1 agrees"});
}

BOOST_AUTO_TEST_CASE(check_grads_accepts_a_right_rule) {
  check_grads(faulty([](const Tensor& x, const Tensor& ct) { return Tensors{2.0 * x * ct}; }), point, {.order = 3});
  check_grads([](const Tensors& x) { return matmul(x[0], exp(x[1])); }, {random_tensor({2, 3}), random_tensor({3, 2})},
              {.order = 3});
}

BOOST_AUTO_TEST_CASE(check_grads_says_when_there_is_a_kink) {
  check_throws<GradientError>(
      [] {
        check_grads([](const Tensors& x) { return relu(x[0]); }, {Tensor{0.0, 0.0, 0.0}});
      },
      {"order 1", "kink"});
  check_throws<GradientError>(
      [] {
        check_grads([](const Tensors& x) { return floor(x[0]) * x[0]; }, {Tensor{1.0, 2.0}});
      },
      {"order 1", "jump"});
}

BOOST_AUTO_TEST_CASE(check_grads_needs_float64) {
  check_throws<DTypeError>([] { check_grads([](const Tensors& x) { return x[0]; }, {Tensor{1.0f}}); },
                           {"[check_grads]", "float64", "float32", "cast"});
}

BOOST_AUTO_TEST_CASE(products_are_differentiated_without_transposing) {
  const Tensor a = random_tensor({3, 4});
  const Tensor b = random_tensor({4, 5});
  const Tensors first = grad(sum(tanh(matmul(a, b))), {a, b});
  const Tensors second = grad(sum(square(first[0])) + sum(square(first[1])), {a, b});
  for (const Node* node : topological_order(second).nodes) {
    BOOST_TEST(node->name() != "transpose");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
