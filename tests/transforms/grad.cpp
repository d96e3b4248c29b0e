#include "autograd/transforms/grad.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(transforms_grad)

namespace {

using testing::check_elements;
using testing::check_throws;

std::size_t node_count(std::span<const Tensor> tensors) { return topological_order(tensors).nodes.size(); }
std::size_t node_count(const Tensor& tensor) { return node_count(std::span(&tensor, 1)); }

}  // namespace

BOOST_AUTO_TEST_CASE(gradients_of_tensors) {
  const Tensor x = {1.0, 2.0, 3.0};
  const Tensor y = {4.0, 5.0, 6.0};
  const Tensor loss = sum(x * x * y);
  check_elements(grad(loss, x), {3}, {8, 20, 36});
  const Tensors both = grad(loss, {x, y});
  check_elements(both[0], {3}, {8, 20, 36});
  check_elements(both[1], {3}, {1, 4, 9});
  check_elements(grad(loss, loss), {}, {1});
  check_elements(grad(loss, Tensors{x, x})[1], {3}, {8, 20, 36});
  BOOST_TEST(grad(loss, Tensors()).empty());
}

BOOST_AUTO_TEST_CASE(gradients_with_respect_to_what_lies_between) {
  const Tensor x = {1.0, 2.0};
  const Tensor h = x * 3.0;
  const Tensor loss = sum(h * h + x);
  const Tensors gradients = grad(loss, {x, h});
  check_elements(gradients[0], {2}, {19, 37});
  check_elements(gradients[1], {2}, {6, 12});
}

BOOST_AUTO_TEST_CASE(outputs_of_one_element_keep_their_shape) {
  const Tensor x = {{2.0}};
  check_elements(grad(x * x, x), {1, 1}, {4});
  check_elements(grad(reshape(x, {}) * 3.0, x), {1, 1}, {3});
}

BOOST_AUTO_TEST_CASE(broadcast_operands_are_summed_over) {
  const Tensor a = {{1.0}, {2.0}};
  const Tensor b = {10.0, 20.0, 30.0};
  const Tensors gradients = grad(sum(a * b), {a, b});
  check_elements(gradients[0], {2, 1}, {60, 60});
  check_elements(gradients[1], {3}, {3, 3, 3});
}

BOOST_AUTO_TEST_CASE(a_gradient_can_be_differentiated_again) {
  const Tensor x = 0.7;
  Tensor y = exp(2 * x) * sin(x);
  // d/dx of e^(2x) sin x = 5^(n/2) e^(2x) sin(x + n atan(1/2)).
  for (int n = 0; n <= 10; ++n) {
    const double expected = std::pow(5, n / 2.0) * std::exp(1.4) * std::sin(0.7 + n * std::atan(0.5));
    check_elements(y, {}, {expected}, 1e-11);
    y = grad(y, x);
  }
}

BOOST_AUTO_TEST_CASE(high_derivatives) {
  const Tensor x = 0.3;
  const auto derivative = [&](const Tensor& f, int order) {
    Tensor y = f;
    for (int n = 0; n < order; ++n) {
      y = grad(y, x, Unreached::zeros);
    }
    return y.item();
  };
  const auto tenth = [&](const Tensor& f) { return derivative(f, 10); };
  BOOST_TEST(tenth(sin(x)) == -std::sin(0.3), boost::test_tools::tolerance(1e-13));
  BOOST_TEST(tenth(exp(x)) == std::exp(0.3), boost::test_tools::tolerance(1e-13));
  BOOST_TEST(derivative(log(x), 7) == 720 / std::pow(0.3, 7), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(derivative(1 / (1 - x), 7) == 5040 / std::pow(0.7, 8), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(tenth(pow(x, 10.0)) == 3628800, boost::test_tools::tolerance(1e-11));
  BOOST_TEST(tenth(pow(x, 9.0)) == 0);
}

BOOST_AUTO_TEST_CASE(unreached_inputs_are_errors_that_name_both) {
  const Variable w(Tensor{1.0f, 2.0f}, "weight");
  const Tensor x = {3.0};
  const Tensor loss = sum(x * 2.0);
  check_throws<GradientError>(
      [&] { grad(loss, w); },
      {"[grad]", "float64() made by sum", "float32(2,) variable 'weight'", "grad.cpp:", "Unreached::zeros"});
  const Tensor zero = grad(loss, w, Unreached::zeros);
  check_elements(zero, {2}, {0, 0});
  BOOST_TEST(zero.dtype() == DType::float32);
}

BOOST_AUTO_TEST_CASE(products_with_cotangents) {
  const Tensor x = {1.0, 2.0, 3.0};
  check_elements(vjp(x * x, {x}, Tensor{1.0, 10.0, 100.0})[0], {3}, {2, 40, 600});
  check_throws<ShapeError>([&] { vjp(x * x, {x}, Tensor{1.0}); }, {"[vjp]", "float64(1,)", "float64(3,)", "grad.cpp:"});
  check_throws<DTypeError>([&] { vjp(x * x, {x}, zeros({3})); }, {"[vjp]", "float32(3,)", "float64(3,)"});
}

BOOST_AUTO_TEST_CASE(what_has_no_gradient_is_an_error) {
  const Tensor x = {1.0, 2.0};
  check_throws<ShapeError>([&] { grad(x * x, x); }, {"[grad]", "(2,)", "sum(y)", "vjp", "grad.cpp:"});
  check_throws<DTypeError>([&] { grad(sum(x), Tensor{1}); }, {"[grad]", "int32(1,)", "not floating", "cast"});
  check_throws<DTypeError>([&] { grad(sum(Tensor{1, 2}), x); }, {"[grad]", "int64()", "not floating"});
  check_throws<ShapeError>([&] { grad(zeros({0}), x); }, {"[grad]", "(0,)"});
  // Through integers nothing flows.
  check_throws<GradientError>([&] { grad(sum(cast(cast(x, DType::int32), DType::float64)), x); }, {"does not depend"});
}

BOOST_AUTO_TEST_CASE(stopped_gradients) {
  const Tensor x = {1.0, 2.0};
  check_elements(grad(sum(x * stop_gradient(x)), x), {2}, {1, 2});
  check_throws<GradientError>([&] { grad(sum(stop_gradient(x * x)), x); }, {"does not depend"});
}

BOOST_AUTO_TEST_CASE(functions_become_their_derivatives) {
  const auto f = [](const Tensor& x) { return sum(x * x * x); };
  check_elements(grad(f)(Tensor{1.0, 2.0}), {2}, {3, 12});
  const auto [value, derivative] = value_and_grad(f)(Tensor{1.0, 2.0});
  check_elements(value, {}, {9});
  check_elements(derivative, {2}, {3, 12});
  check_elements(grad(f)(xt::xarray<double>{1, 2}), {2}, {3, 12});
  check_elements(grad(f)(Variable(Tensor{1.0, 2.0})), {2}, {3, 12});
  check_elements(grad([](const Tensor& x) { return x * x; })(3.0), {}, {6});
}

BOOST_AUTO_TEST_CASE(functions_of_several_arguments) {
  const auto f = [](const Tensor& x, const Tensor& y, const Tensor& z) { return sum(x * y * y) + sum(z); };
  const Tensor x = {1.0, 2.0};
  const Tensor y = {3.0, 4.0};
  const Tensor z = {5.0};
  check_elements(grad(f)(x, y, z), {2}, {9, 16});
  check_elements(grad(f, 1)(x, y, z), {2}, {6, 16});
  const Tensors some = grad(f, {2, 0})(x, y, z);
  check_elements(some[0], {1}, {1});
  check_elements(some[1], {2}, {9, 16});
  const auto [value, gradients] = value_and_grad(f, {1, 2})(x, y, z);
  check_elements(value, {}, {46});
  check_elements(gradients[0], {2}, {6, 16});
  // The same tensor as two arguments is still two variables.
  check_elements(grad([](const Tensor& a, const Tensor& b) { return sum(a * a * b); })(x, x), {2}, {2, 8});
  const auto line = std::to_string(__LINE__ + 1);
  check_throws<ValueError>([&] { grad(f, 3)(x, y, z); }, {"[grad]", "number 3", "with 3", "grad.cpp:" + line});
  check_throws<ValueError>([&] { grad(f, {0, 4})(x, y, z); }, {"[grad]", "number 4"});
  check_throws<ValueError>([&] { jacobian(f, 5)(x, y, z); }, {"[jacobian]", "number 5"});
  check_throws<ValueError>([&] { hessian(f, 5)(x, y, z); }, {"number 5"});
}

BOOST_AUTO_TEST_CASE(nested_transformations_do_not_confuse_their_variables) {
  const auto inner = [](const Tensor& x) { return x * grad([x](const Tensor& y) { return x * y; })(x); };
  const Tensor x = 3.0;
  BOOST_TEST(inner(x).item() == 9);
  BOOST_TEST(grad(inner)(x).item() == 6);
  // d/dx of x d/dy (x + y)² at y = 1: x * 2 (x + 1).
  const auto nested = [](const Tensor& a) {
    return a * grad([a](const Tensor& y) { return square(a + y); })(1.0 + 0 * a);
  };
  BOOST_TEST(grad(nested)(x).item() == 4 * 3 + 2);
}

BOOST_AUTO_TEST_CASE(the_hessian_of_a_linear_function_is_zero) {
  const auto linear = [](const Tensor& x) { return 3.0 * x + 1.0; };
  BOOST_TEST(grad(grad(linear))(Tensor(2.0)).item() == 0);
  BOOST_TEST(grad(grad(grad([](const Tensor& x) { return x * x; })))(Tensor(2.0)).item() == 0);
  BOOST_TEST(grad([](const Tensor&) { return Tensor(1.0); })(Tensor(2.0)).item() == 0);
}

BOOST_AUTO_TEST_CASE(the_size_of_gradients_is_linear_in_the_size_of_the_graph) {
  const auto nodes_of_gradient = [](int depth, bool diamond) {
    const Tensor x = {0.5, 0.25};
    Tensor y = x;
    for (int i = 0; i < depth; ++i) {
      y = diamond ? y * y + y : sin(y);
    }
    const Tensor loss = sum(y);
    return static_cast<double>(node_count(grad(loss, x))) / static_cast<double>(node_count(loss));
  };
  for (const bool diamond : {false, true}) {
    const double ratio = nodes_of_gradient(20, diamond);
    BOOST_TEST(ratio < 5);
    BOOST_TEST(nodes_of_gradient(2000, diamond) == ratio, boost::test_tools::tolerance(0.1));
  }
}

BOOST_AUTO_TEST_CASE(an_unneeded_gradient_costs_nothing) {
  const Tensor x = testing::random_tensor({2, 3});
  const Tensor w = testing::random_tensor({3, 2});
  const Tensor loss = sum(matmul(x, w));
  BOOST_TEST(node_count(grad(loss, w)) < node_count(grad(loss, {w, x})));
  const Tensor gradient = grad(loss, w);
  for (const Node* node : topological_order(std::span(&gradient, 1)).nodes) {
    const bool reads_w = node->inputs().size() == 2 && (node->input(0).same_as(w) || node->input(1).same_as(w));
    BOOST_TEST((!reads_w || node->name() != "matmul"));
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(transforms_locations)

namespace {

// Calls f, which must throw an error of any kind on the given line of this file.
template <class F>
void check_line(F&& f, unsigned line) {
  const std::string place = "tests/transforms/grad.cpp:" + std::to_string(line);
  BOOST_CHECK_EXCEPTION(f(), Error, [&](const Error& error) {
    BOOST_TEST_INFO("`" << error.what() << "` should contain `" << place << "`");
    return std::string_view(error.what()).find(place) != std::string_view::npos;
  });
}

unsigned line_of(const Tensor& tensor) {
  const auto& location = tensor.node().location();
  return std::string_view(location.file_name()).ends_with("tests/transforms/grad.cpp") ? location.line() : 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(errors_name_the_line_of_the_call) {
  const Tensor x = zeros({2, 3});
  const Tensor y = zeros({4});
  const Tensor i = {0, 9};
  check_line([&] { x + y; }, __LINE__);
  check_line([&] { return maximum(x, y); }, __LINE__);
  check_line([&] { return matmul(x, y); }, __LINE__);
  check_line([&] { return softmax(x, 5); }, __LINE__);
  check_line([&] { return mean(x, 5); }, __LINE__);
  check_line([&] { return mean(i); }, __LINE__);
  check_line([&] { return concatenate({x, y}); }, __LINE__);
  check_line([&] { return stack({x, y}); }, __LINE__);
  check_line([&] { return x[7]; }, __LINE__);
  check_line([&] { return x[{all(), range(0, 1), 0}]; }, __LINE__);
  check_line([&] { return zeros({-1}); }, __LINE__);
  check_line([&] { return Tensor{{1, 2}, {3}}; }, __LINE__);
  check_line([&] { return random::normal(random::Key(0), {-1}); }, __LINE__);
  check_line([&] { return map([](Scalar a) { return exp(a); }, i); }, __LINE__);
  check_line([&] { return grad(x, x); }, __LINE__);
  check_line([&] { return grad(sum(y), x); }, __LINE__);
  check_line([&] { return vjp(y, {x}, y); }, __LINE__);
  check_line([&] { return grad([](const Tensor& a) { return a; })(x); }, __LINE__);
  check_line([&] { return value_and_grad([](const Tensor& a) { return a; }, {0, 0})(x); }, __LINE__);
  check_line([&] { Variable(x).assign(y); }, __LINE__);
}

BOOST_AUTO_TEST_CASE(errors_of_transformed_functions_and_of_reading_name_the_line) {
  const Tensor x = {1.0, 2.0};
  const Tensor t = {1.0};
  const auto f = [](const Tensor& a) { return a * a; };
  check_line([&] { return jvp(f, {x}, {t}); }, __LINE__);
  check_line([&] { return vjp(f, {x}).second(t); }, __LINE__);
  check_line([&] { return vjp(f, {x}).second(cast(x, DType::float32)); }, __LINE__);
  check_line([&] { return linearize(f, {x}).second({t}); }, __LINE__);
  check_line([&] { return linearize(f, {x}).second(Tensors()); }, __LINE__);
  check_line([&] { return linearize(f, {Tensor{1, 2}}); }, __LINE__);
  check_line([&] { return hvp([](const Tensor& a) { return sum(a * a); })(x, t); }, __LINE__);
  check_line([&] { return hessian(f)(x); }, __LINE__);
  check_line([&] { return jacobian(f)(Tensor{1, 2}); }, __LINE__);
  check_line([&] { return vmap(f)(Tensor(1.0)); }, __LINE__);
  check_line([&] { return vmap(f, {0, 0})(x); }, __LINE__);
  check_line([&] { check_grads([](const Tensors& in) { return in[0]; }, {zeros({2})}); }, __LINE__);
  check_line([&] { check_grads([](const Tensors& in) { return floor(in[0]); }, {Tensor{1.0}}); }, __LINE__);
  const auto mixes = [](const Tensors& in) { return in[0] * sum(in[0]); };
  check_line([&] { check_op(mixes, {x}, {.elementwise = true}); }, __LINE__);
  check_line([&] { return x.value<float>(); }, __LINE__);
  check_line([&] { return Variable(x).value<float>(); }, __LINE__);
  check_line([&] { return x.item(); }, __LINE__);
  check_line([&] { return Variable(x).item(); }, __LINE__);
}

BOOST_AUTO_TEST_CASE(errors_while_computing_name_the_line_that_made_the_node) {
  const Tensor wrong = one_hot(Tensor{0, 7}, 3);
  const unsigned made = __LINE__ - 1;
  const Tensor later = wrong * 2.0f;
  check_line([&] { later.array(); }, made);
  const Tensor quotient = Tensor{1} / Tensor{0};
  const unsigned divided = __LINE__ - 1;
  check_line([&] { quotient.item(); }, divided);
  const Tensor taken = sum(take(Tensor{1.0}, Tensor{3}));
  const unsigned took = __LINE__ - 1;
  check_line(
      [&] {
        std::vector<Tensor> all = {taken};
        evaluate(all);
      },
      took);
}

BOOST_AUTO_TEST_CASE(derivatives_inherit_the_line_of_what_they_derive) {
  const Tensor x = {1.0, 2.0};
  const Tensor y = exp(x);
  const unsigned exp_line = __LINE__ - 1;
  const Tensor z = sum(softmax(y));
  const unsigned sum_line = __LINE__ - 1;
  const Tensor gradient = grad(z, x);
  const unsigned grad_line = __LINE__ - 1;
  bool derived_from_exp = false;
  for (const Node* node : topological_order(std::span(&gradient, 1)).nodes) {
    const unsigned line = line_of(node->output(0));
    BOOST_TEST((line >= exp_line - 1 && line <= grad_line), node->name() << " is said to be of line " << line);
    derived_from_exp = derived_from_exp || (line == exp_line && !node->output(0).same_as(y));
  }
  BOOST_TEST(derived_from_exp);
  BOOST_TEST(line_of(z) == sum_line);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
