#include <algorithm>
#include <atomic>
#include <set>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/graph/user_ops.hpp"
#include "tests/testing.hpp"

/// \file
/// The cases in which derivatives go wrong elsewhere, each by its name.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(transforms_hard_cases)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::close;
using testing::random_tensor;

std::vector<const Node*> nodes_of(const Tensor& x) { return topological_order(std::span(&x, 1)).nodes; }

std::size_t count_of(const Tensor& x, std::string_view name) {
  const auto nodes = nodes_of(x);
  return static_cast<std::size_t>(
      std::count_if(nodes.begin(), nodes.end(), [&](const Node* node) { return node->name() == name; }));
}

bool depends_on(const Node& node, const Tensor& source) {
  const Tensor output = node.output(0);
  return topological_order(std::span(&output, 1)).numbers.find(&source.node()) != NodeNumbers::none;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_derivative_inside_a_derivative_has_its_own_variable) {
  const auto f = [](const Tensor& x) { return x * grad([&](const Tensor& y) { return x * y; })(x); };
  BOOST_TEST(grad(f)(Tensor(3.0)).item() == 6);  // d/dx x², not 2x² or 3x
  BOOST_TEST(jvp(f, {Tensor(3.0)}, {Tensor(1.0)}).second.item() == 6);
  const auto forward_inside = [](const Tensor& x) {
    return x * jvp([&](const Tensor& y) { return x * y; }, {x}, {Tensor(1.0)}).second;
  };
  BOOST_TEST(grad(forward_inside)(Tensor(3.0)).item() == 6);
  BOOST_TEST(jvp(forward_inside, {Tensor(3.0)}, {Tensor(1.0)}).second.item() == 6);
}

BOOST_AUTO_TEST_CASE(derivatives_inside_vmap_and_the_other_way_round) {
  const Tensor xs = {1.0, 2.0, 3.0};
  const auto f = [](const Tensor& x) { return x * grad([&](const Tensor& y) { return x * y * y; })(x); };  // 2x³
  check_elements(vmap(grad(f))(xs), {3}, {6, 24, 54});
  check_elements(grad([&](const Tensor& x) { return sum(vmap(f)(x)); })(xs), {3}, {6, 24, 54});
  check_elements(vmap(grad(grad(f)))(xs), {3}, {12, 24, 36});
  check_elements(vmap(hessian([](const Tensor& x) { return x * x * x; }))(xs), {3}, {6, 12, 18});
}

BOOST_AUTO_TEST_CASE(functions_that_do_not_depend_on_their_argument_have_zeros) {
  const auto linear = [](const Tensor& x) { return sum(3.0 * x); };
  const auto constant = [](const Tensor&) { return Tensor(1.0); };
  const Tensor x = {1.0, 2.0};
  check_elements(hessian(linear)(x), {2, 2}, {0, 0, 0, 0});
  check_elements(hessian(constant)(x), {2, 2}, {0, 0, 0, 0});
  check_elements(grad(constant)(x), {2}, {0, 0});
  check_elements(jacobian(constant)(x), {2}, {0, 0});
  check_elements(hvp(linear)(x, x), {2}, {0, 0});
  check_elements(jvp(constant, {x}, {x}).second, {}, {0});
  check_elements(vjp(constant, {x}).second(Tensor(1.0))[0], {2}, {0, 0});
  check_elements(linearize(constant, {x}).second({x}), {}, {0});
  check_elements(vmap(grad(constant))(stack({x, x})), {2, 2}, {0, 0, 0, 0});
}

BOOST_AUTO_TEST_CASE(an_input_that_does_not_reach_the_output_is_named_together_with_it) {
  const Variable w(Tensor{1.0, 2.0}, "weight");
  const Tensor before = w;
  const Tensor loss = sum(square(w));
  check_throws<GradientError>([&] { grad(loss, Tensor{5.0}); },
                              {"float64() made by sum", "float64(1,) made by constant"});
  w.assign(Tensor{3.0, 4.0});
  check_throws<GradientError>([&] { grad(loss, w); }, {"'weight'", "has been assigned since"});
  check_throws<GradientError>([&] { grad(loss, w, Unreached::zeros); }, {"has been assigned since"});
  check_elements(grad(loss, before), {2}, {2, 4});
}

BOOST_AUTO_TEST_CASE(a_checkpoint_is_computed_again_behind_the_cotangent) {
  std::atomic<int> computed = 0;
  int calls = 0;
  const auto f = checkpoint([&](const Tensor& x) {
    ++calls;
    return testing::own_softsign(x, &computed) * x;
  });
  const Tensor x = {0.5, 2.0};
  const Tensor y = f(x);
  const Tensor ct = alias(Tensor{1.0, 10.0});
  const Tensor gradient = vjp(y, {x}, ct)[0];
  BOOST_TEST(calls == 1);
  for (const Node* node : nodes_of(gradient)) {
    if (node->name() == "checkpoint") {
      BOOST_TEST(depends_on(*node, ct), "what is computed again could be computed before the backward pass");
    }
  }
  BOOST_TEST(count_of(gradient, "checkpoint") == 1u);
  BOOST_TEST(count_of(gradient, "softsign") == 0u);
  gradient.array();
  BOOST_TEST(computed == 1);
  y.array();
  BOOST_TEST(computed == 2);  // not merged with the first computation
  BOOST_TEST(close(gradient, vjp(testing::own_softsign(x) * x, {x}, ct)[0]));
}

BOOST_AUTO_TEST_CASE(random_numbers_inside_a_checkpoint_are_the_same_again) {
  const random::Key key(7);
  const auto dropout = [&](const Tensor& x) {
    return where(random::bernoulli(key, 0.5, x.shape()), 2.0 * sin(x), 0.0);
  };
  const Tensor x = random_tensor({200});
  const Tensor kept = cast(dropout(x) != 0, DType::float64);
  BOOST_TEST((sum(kept).item() > 50 && sum(kept).item() < 150));
  const Tensor gradient = grad([&](const Tensor& v) { return sum(checkpoint(dropout)(v)); })(x);
  BOOST_TEST(close(gradient, 2.0 * cos(x) * kept));
}

BOOST_AUTO_TEST_CASE(checkpoints_nest_and_take_higher_derivatives) {
  const auto inner = checkpoint([](const Tensor& x) { return sin(x) * x; });
  const auto outer = checkpoint([&](const Tensor& x) { return exp(inner(inner(x))); });
  const auto f = [&](const Tensor& x) { return sum(outer(x)); };
  const auto plain = [](const Tensor& x) {
    const Tensor y = sin(x) * x;
    return sum(exp(sin(y) * y));
  };
  const Tensor x = {0.3, 0.8};
  BOOST_TEST(close(grad(f)(x), grad(plain)(x)));
  BOOST_TEST(close(hessian(f)(x), hessian(plain)(x)));
  BOOST_TEST(close(jacobian(grad(f), 0, JacobianMode::reverse)(x), hessian(plain)(x)));
  BOOST_TEST(close(vmap(hessian(f))(stack({x, 2.0 * x}))[1], hessian(plain)(2.0 * x)));
}

BOOST_AUTO_TEST_CASE(rules_build_nodes_of_the_line_that_they_derive) {
  const Tensor x = random_tensor({3, 3});
  const Tensor product = matmul(x, x);
  const unsigned product_line = __LINE__ - 1;
  const Tensor maximum_of = amax(product);
  const unsigned maximum_line = __LINE__ - 1;
  const Tensor forward = jvp(maximum_of, {x}, {x});
  const Tensor reverse = grad(maximum_of, x);
  const unsigned last_line = __LINE__;
  for (const Tensor& derivative : {forward, reverse}) {
    std::set<unsigned> lines;
    for (const Node* node : nodes_since(Tensors{product}, Tensors{derivative}).nodes) {
      lines.insert(node->location().line());
      BOOST_TEST(std::string_view(node->location().file_name()).ends_with("hard_cases.cpp"));
    }
    BOOST_TEST(lines.contains(product_line));
    BOOST_TEST(lines.contains(maximum_line));
    BOOST_TEST(*lines.rbegin() <= last_line);
  }
}

BOOST_AUTO_TEST_CASE(the_branch_not_taken_receives_exactly_zero) {
  const Tensor x = {0.0, -1.0, 4.0};
  const Tensor y = where(x > 0, sqrt(x), 2.0 * x);
  const Tensor unread = Tensor{1.0, 1.0, 1.0} * 1.0;
  check_elements(grad(sum(where(x > 0, unread, x)), unread), {3}, {0, 0, 1});
  const Tensor formula = map([](Scalar a) { return where(a > 0, sqrt(a), 2 * a); }, x);
  check_elements(y, {3}, {0, -2, 2});
  check_elements(grad(sum(formula), x), {3}, {2, 2, 0.25});
  check_elements(grad(sum(grad(sum(formula), x)), x), {3}, {0, 0, -1.0 / 32});
}

BOOST_AUTO_TEST_CASE(a_long_chain_is_differentiated_in_both_modes) {
  constexpr int length = 200'000;
  const Tensor x = 0.5;
  Tensor y = x;
  for (int i = 0; i < length; ++i) {
    y = y + 1e-6 * x;
  }
  const double expected = 1 + length * 1e-6;
  BOOST_TEST(grad(y, x).item() == expected, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(jvp(y, {x}, {Tensor(1.0)}).item() == expected, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(operations_without_a_gradient_are_a_reason) {
  const Tensor x = {0.5, 1.5};
  check_throws<GradientError>([&] { grad(sum(floor(x) * 2.0), x); },
                              {"derivative is zero everywhere", "Unreached::zeros"});
  check_throws<GradientError>([&] { grad(sum(stop_gradient(x)), x); }, {"derivative is zero everywhere"});
  check_throws<GradientError>([&] { grad(sum(floor(x)), Tensor{1.0}); }, {"check which tensor"});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
