#include <cmath>
#include <functional>
#include <numbers>
#include <string>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/transforms/check_grads.hpp"
#include "autograd/transforms/grad.hpp"
#include "autograd/transforms/vmap.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_layers)

namespace {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::random_tensor;

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

/// A layer and what it computes, from the definition.
struct Activation {
  nn::Module layer;
  std::function<double(double)> definition;
};

std::vector<Activation> activations() {
  const auto normal_distribution = [](double x) { return 0.5 * (1 + std::erf(x / std::sqrt(2.0))); };
  const auto elu_of = [](double x, double alpha) { return x > 0 ? x : alpha * (std::exp(x) - 1); };
  return {
      {nn::ReLU(), [](double x) { return x > 0 ? x : 0; }},
      {nn::LeakyReLU(), [](double x) { return x > 0 ? x : 0.01 * x; }},
      {nn::LeakyReLU(0.2), [](double x) { return x > 0 ? x : 0.2 * x; }},
      {nn::ELU(), [=](double x) { return elu_of(x, 1); }},
      {nn::ELU(0.5), [=](double x) { return elu_of(x, 0.5); }},
      {nn::SELU(), [=](double x) { return 1.0507009873554805 * elu_of(x, 1.6732632423543772); }},
      {nn::GELU(), [=](double x) { return x * normal_distribution(x); }},
      {nn::GELU(true),
       [](double x) {
         return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
       }},
      {nn::SiLU(), [](double x) { return x * sigmoid_of(x); }},
      {nn::Mish(), [](double x) { return x * std::tanh(std::log(1 + std::exp(x))); }},
      {nn::CELU(0.5), [](double x) { return x > 0 ? x : 0.5 * (std::exp(2 * x) - 1); }},
      {nn::Softsign(), [](double x) { return x / (1 + std::abs(x)); }},
      {nn::HardSigmoid(), [](double x) { return x / 6 + 0.5; }},
      {nn::HardSwish(), [](double x) { return x * (x / 6 + 0.5); }},
      {nn::Shrink(), [](double x) { return std::abs(x) > 0.5 ? x : 0; }},
      {nn::Shrink(0.75, 0.25), [](double x) { return std::abs(x) > 0.75 ? x - std::copysign(0.25, x) : 0; }},
      {nn::Tanh(), [](double x) { return std::tanh(x); }},
      {nn::Sigmoid(), sigmoid_of},
      {nn::LogSigmoid(), [](double x) { return std::log(sigmoid_of(x)); }},
      {nn::Softplus(), [](double x) { return std::log(1 + std::exp(x)); }},
  };
}

const nn::Training training(random::Key(7));

}  // namespace

BOOST_AUTO_TEST_CASE(activations_by_their_definitions) {
  const Tensor x = random_tensor({3, 4}, -3, 3);
  for (const Activation& activation : activations()) {
    BOOST_TEST_CONTEXT(activation.layer.type_name()) {
      std::vector<double> expected = elements(x);
      for (double& value : expected) {
        value = activation.definition(value);
      }
      check_elements(activation.layer(x), {3, 4}, expected, 1e-14);
      check_elements(activation.layer(x, training), {3, 4}, expected, 1e-14);
      BOOST_TEST(activation.layer.variables().empty());
      BOOST_CHECK_NO_THROW(check_grads([&](const Tensors& t) { return activation.layer(t[0]); }, {x}));
    }
  }
}

BOOST_AUTO_TEST_CASE(softmax_layers_take_an_axis) {
  const Tensor x = random_tensor({3, 4}, -3, 3);
  check_elements(nn::Softmax()(x), {3, 4}, elements(exp(x) / sum(exp(x), 1, true)), 1e-14);
  check_elements(nn::Softmax(0)(x), {3, 4}, elements(exp(x) / sum(exp(x), 0, true)), 1e-14);
  check_elements(nn::LogSoftmax()(x), {3, 4}, elements(log(nn::Softmax()(x))), 1e-14);
  check_elements(nn::LogSoftmax(0)(x), {3, 4}, elements(log(nn::Softmax(0)(x))), 1e-14);
  for (const nn::Module& layer : {nn::Module(nn::Softmax()), nn::Module(nn::LogSoftmax(0))}) {
    BOOST_CHECK_NO_THROW(check_grads([&](const Tensors& t) { return layer(t[0]); }, {x}));
  }
}

BOOST_AUTO_TEST_CASE(flatten_keeps_the_first_axes) {
  const Tensor x = random_tensor({2, 3, 4, 5});
  check_elements(nn::Flatten()(x), {2, 60}, elements(x));
  check_elements(nn::Flatten(2)(x), {2, 3, 20}, elements(x));
  check_elements(nn::Flatten(-2)(x), {2, 3, 20}, elements(x));
  check_elements(nn::Flatten(0)(x), {120}, elements(x));
  BOOST_TEST(to_string(nn::Flatten()(zeros({0, 28, 28})).shape()) == "(0, 784)");
  BOOST_TEST(to_string(nn::Flatten()(zeros({5})).shape()) == "(5, 1)");
  check_throws<ShapeError>([] { nn::Flatten(3)(zeros({2, 2})); }, {"[flatten] ", "axis 3", "(2, 2)"});
  BOOST_CHECK_NO_THROW(check_grads([](const Tensors& t) { return nn::Flatten()(t[0]); }, {random_tensor({2, 3, 2})}));
}

BOOST_AUTO_TEST_CASE(dropout_is_the_identity_in_inference) {
  const Tensor x = random_tensor({3, 4});
  BOOST_TEST(nn::Dropout(0.5)(x).same_as(x));
  BOOST_TEST(nn::Dropout(0)(x, nn::Training()).same_as(x));
}

BOOST_AUTO_TEST_CASE(dropout_keeps_the_mean) {
  constexpr double n = 200000;
  for (const double rate : {0.1, 0.5, 0.9}) {
    const std::vector<double> y = elements(nn::Dropout(rate)(ones({static_cast<std::int64_t>(n)}), training));
    double dropped = 0;
    for (const double value : y) {
      dropped += value == 0 ? 1 : 0;
      BOOST_TEST_REQUIRE((value == 0 || std::abs(value - 1 / (1 - rate)) < 1e-6 / (1 - rate)));
    }
    BOOST_TEST(std::abs(dropped / n - rate) < 5 * std::sqrt(rate * (1 - rate) / n));
  }
  check_elements(nn::Dropout(1)(ones({3}), training), {3}, {0, 0, 0});
}

BOOST_AUTO_TEST_CASE(masks_depend_on_the_key_and_the_layer) {
  const Tensor x = ones({100}, DType::float64);
  const nn::Dropout drop(0.5);
  BOOST_TEST((elements(drop(x, training)) == elements(drop(x, training))));
  BOOST_TEST((elements(drop(x, training)) != elements(drop(x, nn::Training(random::Key(8))))));

  // Were the masks of two layers the same, half of the elements would be left; else it is a quarter.
  const nn::Sequential twice(drop, drop);
  std::int64_t left = 0;
  for (const double value : elements(twice(ones({100000}), training))) {
    left += value == 0 ? 0 : 1;
  }
  BOOST_TEST(std::abs(static_cast<double>(left) / 1e5 - 0.25) < 0.01);
  BOOST_TEST((elements(twice(x, training)) == elements(twice(x, training))));
  // As in a model of one's own, that gives each layer a part.
  check_elements(twice(x, training), {100}, elements(drop(drop(x, training.fold(0)), training.fold(1))));
}

BOOST_AUTO_TEST_CASE(gradients_pass_where_dropout_keeps) {
  const Tensor x = random_tensor({50});
  const Tensor y = nn::Dropout(0.25)(x, training);
  std::vector<double> expected = elements(y);
  for (double& value : expected) {
    value = value == 0 ? 0 : 1 / 0.75;
  }
  check_elements(grad(sum(y), x), {50}, expected, 1e-15);
  BOOST_CHECK_NO_THROW(
      check_grads([](const Tensors& t) { return nn::Dropout(0.25)(square(t[0]), training); }, {random_tensor({8})}));
  BOOST_TEST(nn::Dropout()(ones({3}), training).dtype() == DType::float32);
}

BOOST_AUTO_TEST_CASE(dropout_refuses_what_it_cannot_do) {
  check_throws<ValueError>([] { nn::Dropout(1.5); }, {"[dropout] ", "1.5"});
  check_throws<ValueError>([] { nn::Dropout(-0.1); }, {"[dropout] ", "-0.1", "layers.cpp:"});
  check_throws<ValueError>([] { nn::Dense(0, 1); }, {"[dense] ", "layers.cpp:"});
  check_throws<ValueError>([] { nn::Embedding(0, 1); }, {"[embedding] ", "layers.cpp:"});
  check_throws<ValueError>([] { nn::LayerNorm(0); }, {"[layer_norm] ", "layers.cpp:"});
  check_throws<ValueError>([] { nn::LayerNorm(1, {.epsilon = -1}); }, {"[layer_norm] ", "layers.cpp:"});
  check_throws<ValueError>([] { nn::BatchNorm(0); }, {"[batch_norm] ", "layers.cpp:"});
  check_throws<ValueError>([] { nn::BatchNorm(1, {.momentum = 2}); }, {"[batch_norm] ", "layers.cpp:"});
  check_throws<ValueError>([] { nn::F1(0); }, {"[confusion_matrix] ", "layers.cpp:"});
  check_throws<ValueError>([] { nn::TopKAccuracy(0); }, {"[top_k_accuracy] ", "layers.cpp:"});
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [] { nn::Dropout(0.5)(ones({3}), nn::Training()); };
  check_throws<ValueError>(call, {"[dropout] ", "key", "Training(key", "layers.cpp:" + line});
}

BOOST_AUTO_TEST_CASE(embedding_picks_rows) {
  const nn::Embedding embedding(5, 3, {.key = random::Key(2), .dtype = DType::float64});
  const std::vector<double> w = elements(embedding.weight());
  BOOST_TEST((w == elements(random::normal(random::Key(2), {5, 3}, 0, 1, DType::float64))));
  const Tensor rows = embedding(Tensor{{4, 0}, {4, 2}});
  std::vector<double> expected;
  for (const std::size_t row : {4U, 0U, 4U, 2U}) {
    expected.insert(expected.end(), w.begin() + static_cast<std::ptrdiff_t>(3 * row),
                    w.begin() + static_cast<std::ptrdiff_t>(3 * row + 3));
  }
  check_elements(rows, {2, 2, 3}, expected);
  check_elements(grad(sum(rows), embedding.weight()), {5, 3}, {1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 2, 2, 2});
  check_elements(vmap([&](const Tensor& i) { return embedding(i); })(Tensor{{4, 0}, {4, 2}}), {2, 2, 3}, expected);

  // Σ w² over the picked rows: the second derivative in direction 1 is 2 per occurrence.
  const Tensor gradient = grad(sum(square(rows)), embedding.weight());
  check_elements(grad(sum(gradient), embedding.weight()), {5, 3}, {2, 2, 2, 0, 0, 0, 2, 2, 2, 0, 0, 0, 4, 4, 4});
}

BOOST_AUTO_TEST_CASE(embedding_in_a_model) {
  nn::Sequential model(nn::Embedding(10, 4), nn::Flatten(), nn::Dense(12, 2));
  BOOST_TEST(model.named_parameters()[0].name == "0.weight");
  const auto before = elements(model.parameters()[0]);
  model.initialize(random::Key(5));
  BOOST_TEST((elements(model.parameters()[0]) != before));
  BOOST_TEST(to_string(model(Tensor{{1, 2, 3}, {4, 5, 6}}).shape()) == "(2, 2)");
}

BOOST_AUTO_TEST_CASE(embedding_refuses_what_is_no_index) {
  const nn::Embedding embedding(5, 3);
  check_throws<ValueError>([&] { embedding(Tensor{1, 5}).array(); }, {"5", "position 1"});
  check_throws<DTypeError>([&] { embedding(Tensor{1.0, 2.0}); }, {"integers", "float64"});
  check_throws<ValueError>([] { nn::Embedding(0, 3); }, {"[embedding] ", "0 vectors of 3"});
  for (const std::int64_t index : {5, -6}) {
    check_throws<ValueError>(
        [&] {
          embedding(Tensor{std::int64_t{0}, index}).array();
        },
        {"index " + std::to_string(index) + " at position 1 is outside [-5, 5); give indices within it",
         "layers.cpp:"});
  }
}

BOOST_AUTO_TEST_CASE(layers_that_are_not_there_are_named) {
  const nn::Sequential model(nn::Dense(2, 3), nn::Tanh());
  BOOST_CHECK_NO_THROW(model[1]);
  check_throws<ValueError>(
      [&] { model[2]; },
      {"[sequential] there is no layer 2; the model has 2, counted from 0: give a number from 0 to 1"});
  check_throws<ValueError>([] { nn::Sequential()[0]; }, {"there is no layer 0; the model has 0", "append one first"});
}

BOOST_AUTO_TEST_CASE(residual_adds_its_input) {
  const nn::Dense dense(4, 4, {.dtype = DType::float64});
  const nn::Residual residual(nn::Sequential(dense, nn::Tanh(), nn::Dropout(0.5)));
  const Tensor x = random_tensor({3, 4});
  check_elements(residual(x), {3, 4}, elements(x + tanh(dense(x))), 1e-14);
  BOOST_TEST(residual.named_parameters()[0].name == "0.weight");
  BOOST_TEST((elements(residual(x, training)) != elements(residual(x))));
  BOOST_CHECK_NO_THROW(check_grads([&](const Tensors& t) { return residual(t[0], training); }, {x}));

  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [] { nn::Residual(nn::Dense(4, 3))(zeros({2, 4})); };
  check_throws<ShapeError>(call, {"[residual] ", "Dense", "(2, 3)", "(2, 4)", "layers.cpp:" + line});
}

BOOST_AUTO_TEST_SUITE_END()
