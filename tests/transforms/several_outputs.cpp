#include <array>
#include <cstdint>
#include <tuple>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

/// \file
/// Derivatives of several outputs at once, and cotangents that meet in parts of one tensor.

namespace xgrad {

BOOST_AUTO_TEST_SUITE(transforms_several_outputs)

namespace {

using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::random_tensor;

/// Elements of all tensors that have to be computed.
std::int64_t computed_elements(const Tensor& tensor) {
  std::int64_t count = 0;
  for (const Node* node : unknown_nodes(std::span(&tensor, 1)).nodes) {
    for (std::size_t i = 0; i < node->output_count() && !node->operation().traits().alias; ++i) {
      count += node->spec(i).shape.element_count();
    }
  }
  return count;
}

std::size_t node_count(const Tensors& tensors) { return topological_order(tensors).nodes.size(); }

/// A recurrence over the rows of X.
Tensor recurrence(const Tensor& rows, const Tensor& start) {
  Tensor h = start;
  for (std::int64_t t = 0; t < rows.shape(0); ++t) {
    h = tanh(rows[t] + h);
  }
  return h;
}

}  // namespace

BOOST_AUTO_TEST_CASE(vjp_adds_up_what_comes_from_each_output) {
  const Tensor x = random_tensor({3}, -1, 1, 1);
  const Tensor w = random_tensor({3}, -1, 1, 2);
  const Tensor shared = sin(x * w);
  const Tensors outputs = {sum(shared), exp(shared) * x, shared};
  const Tensors cts = {2.0, random_tensor({3}, -1, 1, 3), random_tensor({3}, -1, 1, 4)};
  const Tensors together = vjp(outputs, {x, w}, cts);
  for (std::size_t i = 0; i < 2; ++i) {
    const Tensor input = i == 0 ? x : w;
    Tensor apart = zeros_like(input);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      apart = apart + vjp(outputs[k], {input}, cts[k])[0];
    }
    check_elements(together[i], {3}, elements(apart), 1e-14);
  }
  // An undefined cotangent is zero; the pass through what outputs share happens once.
  check_elements(vjp(outputs, {x}, {Tensor(), Tensor(), cts[2]})[0], {3}, elements(vjp(shared, {x}, cts[2])[0]), 1e-15);
  BOOST_TEST(node_count(together) < node_count(vjp(outputs[0], {x, w}, cts[0])) +
                                        node_count(vjp(outputs[1], {x, w}, cts[1])) +
                                        node_count(vjp(outputs[2], {x, w}, cts[2])));
}

BOOST_AUTO_TEST_CASE(jvp_gives_a_tangent_per_output) {
  const Tensor x = random_tensor({3}, -1, 1, 1);
  const Tensor t = random_tensor({3}, -1, 1, 2);
  const Tensors outputs = {sum(x * x), exp(x), ones({2}, DType::float64)};
  const Tensors tangents = jvp(outputs, {x}, {t});
  check_elements(tangents[0], {}, elements(sum(2 * x * t)), 1e-15);
  check_elements(tangents[1], {3}, elements(exp(x) * t), 1e-15);
  check_elements(tangents[2], {2}, {0, 0});  // not reached
}

BOOST_AUTO_TEST_CASE(functions_with_several_results_are_transformed_as_they_are) {
  const Tensor x = {0.5, -0.25};
  const Tensor t = {1.0, 3.0};
  const auto f = [](const Tensor& a) { return std::tuple(a * a, Tensors{sum(a), sin(a)}); };
  const auto [value, tangent] = jvp(f, {x}, {t});
  check_elements(std::get<0>(value), {2}, elements(x * x), 1e-15);
  check_elements(std::get<0>(tangent), {2}, elements(2 * x * t), 1e-15);
  check_elements(std::get<1>(tangent)[0], {}, {4});
  check_elements(std::get<1>(tangent)[1], {2}, elements(cos(x) * t), 1e-15);
  const auto [same_value, pullback] = vjp(f, {x});
  check_elements(std::get<1>(same_value)[1], {2}, elements(sin(x)), 1e-15);
  const Tensors cts = pullback(std::tuple(t, Tensors{Tensor(2.0), Tensor()}));
  check_elements(cts[0], {2}, elements(2 * x * t + 2), 1e-15);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_named) {
  const Tensor x = {1.0, 2.0};
  const Tensors outputs = {x * x, sum(x)};
  check_throws<ValueError>([&] { vjp(outputs, {x}, {x}); }, {"[vjp]", "1 cotangents for 2 outputs"});
  check_throws<ShapeError>([&] { vjp(outputs, {x}, {x, x}); }, {"[vjp]", "cotangent 1 is float64(2,)", "float64()"});
  check_throws<DTypeError>([&] { vjp(outputs, {x}, {cast(x, DType::float32), Tensor(1.0)}); }, {"cotangent 0"});
  check_throws<GradientError>([&] { vjp(outputs, {Tensor{1.0}}, {x, Tensor(1.0)}); }, {"[grad]", "and 1 more"});
}

BOOST_AUTO_TEST_CASE(cotangents_of_slices_meet_in_one_buffer) {
  const auto elements_per_step = [](std::int64_t steps) {
    const Tensor rows = zeros({steps, 4}, DType::float64);
    rows.array();
    const Tensor gradient = grad(sum(recurrence(rows, zeros({4}, DType::float64))), rows);
    return static_cast<double>(computed_elements(gradient)) / static_cast<double>(steps);
  };
  BOOST_TEST(elements_per_step(400) < 1.1 * elements_per_step(50));
}

BOOST_AUTO_TEST_CASE(cotangents_of_slices_are_right) {
  const Tensor x = random_tensor({5, 4}, -1, 1, 1);
  // Slices that overlap, walk backwards, and meet a use of the whole tensor.
  const auto f = [](const Tensors& in) {
    const Tensor& a = in[0];
    const Tensor parts = sum(sin(a[range(0, 3)]) * a[{range(4, 1, -1), all()}]) + sum(exp(a[{2, range(0, 4, 2)}]));
    return parts + sum(a * a * a) + recurrence(a, a[0])[1];
  };
  check_grads(f, {x});
  const auto gradient = grad([&](const Tensor& a) { return f({a}); });
  const Tensor samples = random_tensor({3, 5, 4}, -1, 1, 2);
  const Tensor mapped = vmap(gradient)(samples);
  const Tensor second = vmap(grad([&](const Tensor& a) { return sum(square(gradient(a))); }))(samples);
  for (std::int64_t i = 0; i < 3; ++i) {
    check_elements(mapped[i], {5, 4}, elements(gradient(samples[i])), 1e-13);
    const Tensor alone = grad([&](const Tensor& a) { return sum(square(gradient(a))); })(samples[i]);
    check_elements(second[i], {5, 4}, elements(alone), 1e-12);
  }
  check_elements(compile(gradient)(x), {5, 4}, elements(gradient(x)), 1e-15);
}

BOOST_AUTO_TEST_CASE(cotangents_of_gathered_rows_meet_in_one_buffer) {
  const Tensor table = random_tensor({6, 3}, -1, 1, 1);
  const std::vector<Tensor> words = {Tensor{1, 1, 5}, Tensor{0, -1}, Tensor(3)};
  const auto f = [&](const Tensors& in) {
    Tensor total = sum(square(in[0]));
    for (const Tensor& word : words) {
      total = total + sum(sin(take(in[0], word, 0))) + sum(exp(take(in[0], remainder(word, 3), 1)));
    }
    return total;
  };
  check_grads(f, {table});
  const Tensor gradient = grad(f({table}), table);
  int buffers = 0;
  for (const Node* node : topological_order(std::span(&gradient, 1)).nodes) {
    buffers += node->name() == "put_add";
  }
  BOOST_TEST(buffers == 2);  // one for each axis
  const Tensor samples = random_tensor({2, 6, 3}, -1, 1, 2);
  const auto derivative = grad([&](const Tensor& a) { return f({a}); });
  const Tensor mapped = vmap(derivative)(samples);
  for (std::int64_t i = 0; i < 2; ++i) {
    check_elements(mapped[i], {6, 3}, elements(derivative(samples[i])), 1e-13);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
