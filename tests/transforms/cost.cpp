#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <string>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/ops/map.hpp"
#include "tests/graph/user_ops.hpp"
#include "tests/testing.hpp"

/// \file
/// What derivatives cost, in arithmetic rather than in seconds.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(transforms_cost)

namespace {

using testing::random_tensor;

double size_of(const Tensor& x) { return static_cast<double>(x.size()); }

// Arithmetic operations of a node's kernel, to leading order.
double work_of(const Node& node) {
  const double out = size_of(node.output(0));
  if (node.operation().traits().alias || node.inputs().empty()) {
    return 0;
  }
  if (const auto* map = node.as<Map>()) {
    return out * static_cast<double>(map->formula.program().steps.size());
  }
  const double in = size_of(node.input(0));
  const double order = std::sqrt(in);  // of a square matrix
  const std::string name(node.name());
  if (name == "matmul") {
    return 2 * std::sqrt(in * size_of(node.input(1)) * out);  // √(mk · kn · mn)
  }
  if (name == "linalg::cholesky") {
    return in * order / 3;
  }
  if (name == "cholesky_cotangent" || name == "cholesky_tangent") {
    return 3 * in * order / 4;
  }
  if (name == "linalg::det" || name == "linalg::logdet") {
    return 2 * in * order / 3;
  }
  if (name == "linalg::inv" || name == "cofactors") {  // of matrices that are not close to singular
    return 2 * in * order;
  }
  if (name == "linalg::qr") {
    return 8 * in * order / 3;  // half of it for r, half for q
  }
  if (name == "linalg::solve") {
    return 2 * in * order / 3 + 2 * order * size_of(node.input(1));
  }
  if (name == "linalg::solve_triangular") {
    return order * size_of(node.input(1));
  }
  if (name == "logsumexp") {
    return 4 * in;  // maximum, difference, exponential, sum
  }
  BOOST_TEST_REQUIRE(!name.starts_with("linalg"), "the work of " << name << " is not known here");
  return std::max(in, out);
}

double work_of(const Tensors& outputs) {
  const auto nodes = topological_order(outputs).nodes;
  return std::accumulate(nodes.begin(), nodes.end(), 0.0,
                         [](double sum, const Node* node) { return sum + work_of(*node); });
}

// The work of value and gradient together over that of the value.
double relative_cost(const Tensor& value, const Tensors& inputs) {
  Tensors all = grad(value, inputs);
  all.push_back(value);
  return work_of(all) / work_of(Tensors{value});
}

Tensor perceptron(Tensor x, const Tensors& weights) {
  for (const Tensor& w : weights) {
    x = tanh(matmul(x, w));
  }
  return mean(square(x));
}

Tensors square_weights(std::size_t count, std::int64_t width) {
  Tensors weights;
  for (std::size_t i = 0; i < count; ++i) {
    weights.push_back(random_tensor({width, width}, -0.1, 0.1, static_cast<unsigned>(i)));
  }
  return weights;
}

}  // namespace

BOOST_AUTO_TEST_CASE(work_is_counted_as_by_hand) {
  const Tensor x = random_tensor({64, 32});
  const Tensor w = random_tensor({32, 16});
  BOOST_TEST(work_of(Tensors{matmul(x, w)}) == 2.0 * 64 * 32 * 16, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(work_of(Tensors{exp(x) * x}) == 2.0 * 64 * 32);
  BOOST_TEST(work_of(Tensors{sum(x)}) == 64.0 * 32);
  BOOST_TEST(work_of(Tensors{reshape(x, {32, 64})}) == 0);
}

BOOST_AUTO_TEST_CASE(a_gradient_costs_at_most_four_values) {
  const auto check = [](const char* what, const Tensor& value, const Tensors& inputs) {
    const double cost = relative_cost(value, inputs);
    BOOST_TEST(cost <= 4.0, what << ": " << cost);
  };
  const Tensor x = random_tensor({64, 32}, 0.1, 1);
  Tensors inputs = square_weights(3, 32);
  inputs.push_back(x);
  check("perceptron", perceptron(x, {inputs[0], inputs[1], inputs[2]}), inputs);
  const Tensor labels = one_hot(remainder(arange(64, DType::int64), 32), 32, DType::float64);
  check("cross-entropy", -sum(log_softmax(matmul(x, inputs[0])) * labels), {inputs[0], x});
  check("elementwise chain", sum(sin(exp(sqrt(log1p(x))))), {x});
  check("one formula", sum(map([](Scalar a) { return sin(exp(sqrt(log1p(a)))); }, x)), {x});
  check("activations", sum(gelu(silu(mish(x)))), {x});
  check("products", sum(x * sin(x) / (1.0 + x)), {x});
  check("logsumexp", sum(logsumexp(x, 1)), {x});
  check("softmax", sum(softmax(x) * x), {x});
  check("norm and variance", norm(x) + variance(x), {x});
  const Tensor kernel = random_tensor({8, 5, 4});
  const Tensor patches = random_tensor({16, 10, 8, 5});
  check("convolution by einsum", sum(square(einsum("bpci,cio->bpo", {patches, kernel}))), {patches, kernel});
  check("chain of einsum", einsum("ij,jk,kl->", {x, inputs[0], inputs[1]}), {x, inputs[0], inputs[1]});
  const Tensor a = matmul(inputs[0], transpose(inputs[0])) + 2.0 * eye(32, -1, DType::float64);
  const Tensor matrix = a.detach();
  const Tensor b = random_tensor({32, 4});
  check("solve", sum(square(linalg::solve(matrix, b))), {matrix, b});
  check("slices", sum(square(x[{range(0, 64, 2), range(3, 30)}])), {x});
}

BOOST_AUTO_TEST_CASE(a_gradient_through_linear_algebra_costs_at_most_four_values) {
  const auto check = [](const char* what, const Tensor& value, const Tensors& inputs) {
    const double cost = relative_cost(value, inputs);
    BOOST_TEST(cost <= 4.0, what << ": " << cost);
  };
  const Tensor w = random_tensor({64, 64}, -0.1, 0.1);
  const Tensor a = (matmul(w, transpose(w)) + 2.0 * eye(64, -1, DType::float64)).detach();
  const Tensor b = random_tensor({64, 64});
  check("cholesky", sum(log(diagonal(linalg::cholesky(a)))), {a});
  check("all of cholesky", sum(square(linalg::cholesky(a))), {a});
  const Tensor x = random_tensor({64, 256});
  const Tensor covariance = matmul(x, transpose(x)) + eye(64, -1, DType::float64);
  check("cholesky of a covariance", sum(log(diagonal(linalg::cholesky(covariance)))), {x});
  check("inv", sum(square(linalg::inv(a))), {a});
  check("solve", sum(square(linalg::solve(a, b))), {a, b});
  const auto [q, r] = linalg::qr(a);
  check("qr", sum(square(q)) + sum(square(r)), {a});
}

// What grows as the square of the order comes on top of four times the cubes.
BOOST_AUTO_TEST_CASE(some_gradients_through_linear_algebra_cost_four_values_to_leading_order) {
  const Tensor a = random_tensor({256, 256});
  const Tensor b = random_tensor({256, 256});
  BOOST_TEST(relative_cost(linalg::det(a), {a}) <= 4.05);
  BOOST_TEST(relative_cost(linalg::logdet(a), {a}) <= 4.05);
  BOOST_TEST(relative_cost(sum(linalg::solve_triangular(a, b)), {a, b}) <= 4.05);
}

BOOST_AUTO_TEST_CASE(a_tangent_through_a_factorization_costs_at_most_four_values) {
  const Tensor w = random_tensor({256, 256}, -0.1, 0.1);
  const Tensor a = (matmul(w, transpose(w)) + 2.0 * eye(256, -1, DType::float64)).detach();
  const Tensor l = linalg::cholesky(a);
  const Tensors both = {l, jvp(l, {a}, {random_tensor({256, 256})})};
  BOOST_TEST(work_of(both) <= 4 * work_of(Tensors{l}));
}

BOOST_AUTO_TEST_CASE(the_nodes_of_a_gradient_are_linear_in_the_layers) {
  const auto nodes = [](std::size_t layers) {
    const Tensors weights = square_weights(layers, 4);
    const Tensors gradients = grad(perceptron(random_tensor({2, 4}), weights), weights);
    return topological_order(gradients).nodes.size();
  };
  const std::size_t per_layer = nodes(2) - nodes(1);
  BOOST_TEST(per_layer <= 8u);
  BOOST_TEST(nodes(50) - nodes(49) == per_layer);
  BOOST_TEST(nodes(50) == nodes(1) + 49 * per_layer);
}

BOOST_AUTO_TEST_CASE(a_hessian_vector_product_costs_a_few_gradients) {
  const Tensor x = random_tensor({64, 32}, 0.1, 1);
  const Tensors weights = square_weights(3, 32);
  const auto loss = [&](const Tensor& w) { return perceptron(x, {w, weights[1], weights[2]}); };
  const Tensor product = hvp(loss)(weights[0], weights[1]);
  BOOST_TEST(work_of(Tensors{product}) <= 4 * work_of(Tensors{grad(loss)(weights[0])}));
}

BOOST_AUTO_TEST_CASE(linearize_computes_its_coefficients_once) {
  std::atomic<int> computed = 0;
  const auto f = [&](const Tensor& x) { return testing::own_softsign(stop_gradient(exp(x)), &computed) * x; };
  const auto [value, df] = linearize(f, {Tensor{0.5, -2.0}});
  BOOST_TEST(computed == 1);
  for (int i = 0; i < 3; ++i) {
    const Tensor t = random_tensor({2}, -1, 1, static_cast<unsigned>(i));
    df({t}).array();
    BOOST_TEST(computed == 1);
  }
  value.array();
  BOOST_TEST(computed <= 2);
}

BOOST_AUTO_TEST_CASE(what_a_linear_map_computes_depends_on_the_tangents_alone) {
  const Tensor x = random_tensor({6, 6});
  const auto f = [](const Tensor& v) { return logsumexp(tanh(matmul(v, sin(v))) * exp(v), 1); };
  const auto [value, df] = linearize(f, {x});
  const Tensor t = random_tensor({6, 6}, -1, 1, 2);
  const Tensor tangent = df({t});
  for (const Node* node : unknown_nodes(Tensors{tangent}).nodes) {
    const bool from_tangent =
        nodes_since(Tensors{t}, Tensors{node->output(0)}).numbers.find(&t.node()) != NodeNumbers::none;
    BOOST_TEST(from_tangent, node->name() << " does not depend on the tangent and would be computed at every call");
  }
  BOOST_TEST(testing::close(tangent, jvp(f, {x}, {t}).second));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
