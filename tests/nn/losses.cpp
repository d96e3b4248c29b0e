#include "nn/losses.hpp"

#include <cmath>
#include <limits>
#include <string>

#include <boost/test/unit_test.hpp>

#include "autograd/check_grads.hpp"
#include "autograd/ops.hpp"
#include "autograd/transforms.hpp"
#include "nn/nn.hpp"
#include "tests/autograd/testing.hpp"

namespace {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::make_tensor;
using testing::random_tensor;

constexpr std::int64_t batch = 6, classes = 4;
const std::vector<double> label_values = {3, 0, 1, 1, 2, 0};

Tensor labels(DType dtype = DType::int64) { return make_tensor(label_values, {batch}, dtype); }
Tensor logits() { return random_tensor({batch, classes}, -3, 3); }

// softmax(z)ⱼ of one row, from the definition.
double probability(const std::vector<double>& z, std::size_t row, std::size_t j) {
  double sum = 0;
  for (std::size_t k = 0; k < classes; ++k) {
    sum += std::exp(z[row * classes + k]);
  }
  return std::exp(z[row * classes + j]) / sum;
}

double naive_cross_entropy(const std::vector<double>& z) {
  double loss = 0;
  for (std::size_t row = 0; row < batch; ++row) {
    loss -= std::log(probability(z, row, static_cast<std::size_t>(label_values[row]))) / batch;
  }
  return loss;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nn_losses)

BOOST_AUTO_TEST_CASE(cross_entropy_matches_its_definition) {
  const double expected = naive_cross_entropy(elements(logits()));
  for (const DType dtype : {DType::uint8, DType::int32, DType::int64}) {
    check_elements(nn::cross_entropy(logits(), labels(dtype)), {}, {expected}, 1e-14);
  }
  const Tensor single = nn::cross_entropy(cast(logits(), DType::float32), labels());
  BOOST_TEST(single.dtype() == DType::float32);
  check_elements(single, {}, {expected}, 1e-6);
}

BOOST_AUTO_TEST_CASE(cross_entropy_takes_leading_axes) {
  const Tensor z = reshape(logits(), {2, 3, classes});
  check_elements(nn::cross_entropy(z, reshape(labels(), {2, 3})), {}, {naive_cross_entropy(elements(z))}, 1e-14);
}

BOOST_AUTO_TEST_CASE(cross_entropy_gradient_is_softmax_minus_one_hot) {
  const Tensor z = logits();
  std::vector<double> expected = elements(z);
  const std::vector<double> values = expected;
  for (std::size_t row = 0; row < batch; ++row) {
    for (std::size_t j = 0; j < classes; ++j) {
      const double truth = label_values[row] == static_cast<double>(j) ? 1 : 0;
      expected[row * classes + j] = (probability(values, row, j) - truth) / batch;
    }
  }
  check_elements(grad(nn::cross_entropy(z, labels()), z), {batch, classes}, expected, 1e-15);
}

BOOST_AUTO_TEST_CASE(cross_entropy_is_differentiable_twice) {
  BOOST_CHECK_NO_THROW(check_grads([](const Tensors& z) { return nn::cross_entropy(z[0], labels()); }, {logits()}));
}

BOOST_AUTO_TEST_CASE(cross_entropy_of_extreme_logits) {
  const Tensor large = {{1e4, 0.0, -1e4}, {1e4, 0.0, -1e4}};
  const Tensor y = {0, 2};
  check_elements(nn::cross_entropy(large, y), {}, {1e4}, 1e-15);  // (0 + 20000) / 2
  check_elements(grad(nn::cross_entropy(large, y), large), {2, 3}, {0, 0, 0, 0.5, 0, -0.5}, 1e-15);

  const Tensor single = cast(large, DType::float32);
  check_elements(nn::cross_entropy(single, y), {}, {1e4}, 1e-6);
  check_elements(grad(nn::cross_entropy(single, y), single), {2, 3}, {0, 0, 0, 0.5, 0, -0.5}, 1e-6);
}

BOOST_AUTO_TEST_CASE(cross_entropy_of_impossible_classes) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Tensor z = {{2.0, -infinity, 1.0}};
  const Tensor loss = nn::cross_entropy(z, Tensor{0});
  const double p = std::exp(2) / (std::exp(2) + std::exp(1));
  check_elements(loss, {}, {-std::log(p)}, 1e-14);
  check_elements(grad(loss, z), {1, 3}, {p - 1, 0, 1 - p}, 1e-14);
  check_elements(nn::cross_entropy(z, Tensor{1}), {}, {infinity});
}

BOOST_AUTO_TEST_CASE(cross_entropy_names_a_label_out_of_range) {
  const auto line = std::to_string(__LINE__ + 1);
  const Tensor loss = nn::cross_entropy(logits(), Tensor{0, 1, 2, 3, 4, 0});
  check_throws<ValueError>([&] { loss.item(); }, {"4", "position 4", "[0, 4)", "losses.cpp:" + line});
  check_throws<ValueError>(
      [&] {
        nn::cross_entropy(logits(), Tensor{0, -1, 2, 3, 0, 0}).item();
      },
      {"-1", "position 1"});
}

BOOST_AUTO_TEST_CASE(failing_step_changes_nothing) {
  const nn::Sequential model(nn::Dense(5, 8), nn::Tanh(), nn::Dense(8, 4));
  nn::Adam adam(model.parameters());
  const Tensor x = cast(random_tensor({3, 5}), DType::float32);
  adam.minimize(nn::cross_entropy(model(x), Tensor{0, 1, 2}));

  nn::Variables cells = adam.state();
  cells.insert(cells.end(), adam.parameters().begin(), adam.parameters().end());
  std::vector<std::vector<double>> before;
  for (const Variable& cell : cells) {
    before.push_back(elements(cell));
  }
  check_throws<ValueError>([&] { adam.minimize(nn::cross_entropy(model(x), Tensor{0, 1, 7})); }, {"7", "position 2"});
  for (std::size_t i = 0; i < cells.size(); ++i) {
    BOOST_TEST((elements(cells[i]) == before[i]), cells[i].name() << " changed");
  }
  adam.minimize(nn::cross_entropy(model(x), Tensor{0, 1, 2}));
  BOOST_TEST((elements(model.parameters()[0]) != before[cells.size() - 4]));
}

BOOST_AUTO_TEST_CASE(cross_entropy_refuses_what_does_not_belong_together) {
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [] { nn::cross_entropy(logits(), Tensor{0, 1}); };
  check_throws<ShapeError>(call, {"[cross_entropy] ", "(6, 4)", "(6,)", "(2,)", "losses.cpp:" + line});
  check_throws<ShapeError>([] { nn::cross_entropy(logits(), one_hot(labels(), classes)); }, {"labels of shape (6,)"});
  check_throws<ShapeError>([] { nn::cross_entropy(1.0, 1); }, {"[cross_entropy] ", "()"});
  check_throws<DTypeError>([] { nn::cross_entropy(logits(), labels(DType::float32)); },
                           {"integers", "float32", "cast"});
}

BOOST_AUTO_TEST_CASE(mse_value_and_gradient) {
  const Tensor prediction = {{1.0, 2.0}, {3.0, 4.0}};
  const Tensor target = {{1.0, 0.0}, {0.0, 8.0}};
  const Tensor loss = nn::mse(prediction, target);
  check_elements(loss, {}, {(0 + 4 + 9 + 16) / 4.0});
  check_elements(grad(loss, prediction), {2, 2}, {0, 1, 1.5, -2});
  BOOST_CHECK_NO_THROW(check_grads([](const Tensors& x) { return nn::mse(x[0], x[1]); },
                                   {random_tensor({3, 2}), random_tensor({3, 2}, -2, 2, 2)}));
}

BOOST_AUTO_TEST_CASE(mse_does_not_broadcast) {
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [] { nn::mse(zeros({5, 1}), zeros({5})); };
  check_throws<ShapeError>(call, {"[mse] ", "(5, 1)", "(5,)", "losses.cpp:" + line});
}

BOOST_AUTO_TEST_CASE(softmax_layer_gives_probabilities) {
  const Tensor z = logits();
  const std::vector<double> values = elements(z);
  std::vector<double> expected;
  for (std::size_t i = 0; i < values.size(); ++i) {
    expected.push_back(probability(values, i / classes, i % classes));
  }
  check_elements(nn::Softmax()(z), {batch, classes}, expected, 1e-15);
  nn::Softmax down;
  down.axis = 0;
  check_elements(sum(down(z), 0), {classes}, std::vector<double>(classes, 1.0), 1e-15);
}

BOOST_AUTO_TEST_CASE(activation_layers_are_their_ops) {
  const Tensor x = random_tensor({3, 4});
  check_elements(nn::ReLU()(x), {3, 4}, elements(relu(x)));
  check_elements(nn::Tanh()(x), {3, 4}, elements(tanh(x)));
  check_elements(nn::Sigmoid()(x), {3, 4}, elements(sigmoid(x)));
  BOOST_TEST(nn::ReLU().parameter_count() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
