#include "nn/normalization.hpp"

#include <cmath>
#include <string>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/transforms/check_grads.hpp"
#include "autograd/transforms/grad.hpp"
#include "autograd/transforms/vmap.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_normalization)

namespace {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;
using testing::random_tensor;

constexpr double epsilon = 1e-5;

struct Statistics {
  double mean = 0, variance = 0;
};

/// Of every step-th element from the first on, over N.
Statistics statistics(const std::vector<double>& x, std::size_t first, std::size_t step, std::size_t count) {
  Statistics s;
  for (std::size_t i = 0; i < count; ++i) {
    s.mean += x[first + i * step] / static_cast<double>(count);
  }
  for (std::size_t i = 0; i < count; ++i) {
    s.variance += std::pow(x[first + i * step] - s.mean, 2) / static_cast<double>(count);
  }
  return s;
}

/// The columns of x, each by its own mean and variance.
std::vector<double> columns_normalized(std::vector<double> x, std::size_t rows, std::size_t columns) {
  const std::vector<double> original = x;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto [mean, variance] = statistics(original, i % columns, columns, rows);
    x[i] = (x[i] - mean) / std::sqrt(variance + epsilon);
  }
  return x;
}

nn::BatchNorm batch_norm(std::int64_t features, nn::BatchNormOptions options = {}) {
  options.dtype = DType::float64;
  return nn::BatchNorm(features, options);
}

/// Affine parameters away from 1 and 0.
template <class L>
void shake(const L& layer) {
  layer.weight()->assign(random_tensor(layer.weight()->shape(), 0.5, 2, 11));
  layer.bias()->assign(random_tensor(layer.bias()->shape(), -1, 1, 12));
}

}  // namespace

BOOST_AUTO_TEST_CASE(layer_norm_by_its_definition) {
  const nn::LayerNorm norm(4, {.dtype = DType::float64});
  shake(norm);
  const Tensor x = random_tensor({2, 3, 4});
  std::vector<double> expected = elements(x);
  const std::vector<double> values = expected;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto [mean, variance] = statistics(values, i / 4 * 4, 1, 4);
    expected[i] = (values[i] - mean) / std::sqrt(variance + epsilon) * elements(*norm.weight())[i % 4] +
                  elements(*norm.bias())[i % 4];
  }
  check_elements(norm(x), {2, 3, 4}, expected, 1e-13);
  check_elements(norm(x[{0, 1}]), {4}, {expected.begin() + 4, expected.begin() + 8}, 1e-13);
}

BOOST_AUTO_TEST_CASE(layer_norm_over_several_axes) {
  const nn::LayerNorm norm(Shape{3, 4}, {.affine = false});
  const nn::LayerNorm flat(12, {.affine = false});
  BOOST_TEST(norm.parameters().empty());
  const Tensor x = random_tensor({5, 3, 4});
  check_elements(norm(x), {5, 3, 4}, elements(flat(reshape(x, {5, 12}))), 1e-14);
}

BOOST_AUTO_TEST_CASE(layer_norm_is_differentiable_twice) {
  const nn::LayerNorm norm(4, {.dtype = DType::float64});
  shake(norm);
  BOOST_CHECK_NO_THROW(check_grads([&](const Tensors& x) { return norm(x[0]); }, {random_tensor({3, 4})}));
  BOOST_CHECK_NO_THROW(check_grads([](const Tensors& x) { return nn::standardize(x[0], -1, x[1], x[2]); },
                                   {random_tensor({3, 4}), random_tensor({4}, 1, 2, 2), random_tensor({4}, -1, 1, 3)}));
}

BOOST_AUTO_TEST_CASE(layer_norm_maps_over_samples) {
  const nn::LayerNorm norm(4, {.dtype = DType::float64});
  const Tensor x = random_tensor({5, 4});
  check_elements(vmap([&](const Tensor& row) { return norm(row); })(x), {5, 4}, elements(norm(x)), 1e-14);
}

BOOST_AUTO_TEST_CASE(large_means_cost_no_digits) {
  const nn::LayerNorm norm(4, {.epsilon = 0, .affine = false});
  const Tensor x = {{10000.0F, 10001.0F, 10002.0F, 10003.0F}};
  const double scale = std::sqrt(1.25);
  check_elements(norm(x), {1, 4}, {-1.5 / scale, -0.5 / scale, 0.5 / scale, 1.5 / scale}, 1e-6);
}

BOOST_AUTO_TEST_CASE(layer_norm_refuses_other_shapes) {
  const nn::LayerNorm norm(Shape{3, 4});
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [&] { norm(zeros({2, 4, 3})); };
  check_throws<ShapeError>(call, {"[layer_norm] ", "(3, 4)", "(2, 4, 3)", "normalization.cpp:" + line});
  check_throws<ShapeError>([&] { norm(zeros({4})); }, {"(3, 4)", "(4,)"});
  check_throws<ValueError>([] { nn::LayerNorm(0); }, {"[layer_norm] ", "(0,)"});
  check_throws<ValueError>([] { nn::LayerNorm(Shape{}); }, {"[layer_norm] ", "()"});
  check_throws<ValueError>([] { nn::LayerNorm(3, {.epsilon = -1}); }, {"epsilon", "-1"});
}

BOOST_AUTO_TEST_CASE(batch_norm_trains_by_the_batch) {
  const nn::BatchNorm norm = batch_norm(3);
  const Tensor x = random_tensor({6, 3});
  check_elements(norm(x, nn::Training()), {6, 3}, columns_normalized(elements(x), 6, 3), 1e-13);
  // Leading axes are more of the batch.
  check_elements(norm(reshape(x, {2, 3, 3}), nn::Training()), {2, 3, 3}, columns_normalized(elements(x), 6, 3), 1e-13);
}

BOOST_AUTO_TEST_CASE(running_statistics_follow_the_batches) {
  const nn::BatchNorm norm = batch_norm(2, {.momentum = 0.3});
  std::vector<double> mean(2, 0.0), variance(2, 1.0);
  for (unsigned step = 1; step <= 3; ++step) {
    const Tensor x = random_tensor({5, 2}, -2, 2, step);
    norm(x, nn::Training());
    for (std::size_t j = 0; j < 2; ++j) {
      const Statistics s = statistics(elements(x), j, 2, 5);
      mean[j] = 0.7 * mean[j] + 0.3 * s.mean;
      variance[j] = 0.7 * variance[j] + 0.3 * s.variance * 5 / 4;  // unbiased
    }
  }
  check_elements(norm.running_mean(), {2}, mean, 1e-14);
  check_elements(norm.running_variance(), {2}, variance, 1e-14);

  const Tensor x = random_tensor({4, 2}, -2, 2, 9);
  std::vector<double> expected = elements(x);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i] = (expected[i] - mean[i % 2]) / std::sqrt(variance[i % 2] + epsilon);
  }
  check_elements(norm(x), {4, 2}, expected, 1e-13);
  check_elements(norm.running_mean(), {2}, mean, 1e-14);  // inference changes nothing
}

BOOST_AUTO_TEST_CASE(features_on_another_axis) {
  const nn::BatchNorm last = batch_norm(3);
  const nn::BatchNorm first = batch_norm(3, {.axis = 1});
  shake(last);
  shake(first);
  const Tensor x = random_tensor({4, 5, 3});
  const Tensor channels_first = transpose(x, {0, 2, 1});
  for (const nn::Mode& mode : {nn::Mode(nn::Training()), nn::Mode()}) {
    check_elements(transpose(first(channels_first, mode), {0, 2, 1}), {4, 5, 3}, elements(last(x, mode)), 1e-13);
  }
  check_elements(first.running_variance(), {3}, elements(last.running_variance()), 1e-14);
}

BOOST_AUTO_TEST_CASE(batch_norm_is_differentiable_twice) {
  const nn::BatchNorm norm = batch_norm(3);
  shake(norm);
  for (const nn::Mode& mode : {nn::Mode(nn::Training()), nn::Mode()}) {
    BOOST_CHECK_NO_THROW(check_grads([&](const Tensors& x) { return norm(x[0], mode); }, {random_tensor({5, 3})}));
  }
}

BOOST_AUTO_TEST_CASE(variables_are_named_as_in_torch) {
  const nn::Sequential model(nn::Dense(4, 3), nn::BatchNorm(3));
  std::string parameters, variables;
  for (const auto& [name, variable] : model.named_parameters()) {
    parameters += name + " ";
  }
  for (const auto& [name, variable] : model.named_variables()) {
    variables += name + " ";
  }
  BOOST_TEST(parameters == "0.weight 0.bias 1.weight 1.bias ");
  BOOST_TEST(variables ==
             "0.weight 0.bias 1.weight 1.bias 1.running_mean 1.running_var "
             "1.num_batches_tracked ");
  BOOST_TEST(model.parameter_count() == 15 + 6);
}

BOOST_AUTO_TEST_CASE(clones_have_statistics_of_their_own) {
  const nn::BatchNorm norm = batch_norm(2);
  const nn::BatchNorm shared = norm;
  const nn::BatchNorm copy = norm.clone();
  norm(random_tensor({4, 2}, 1, 2), nn::Training());
  BOOST_TEST((elements(shared.running_mean()) == elements(norm.running_mean())));
  check_elements(copy.running_mean(), {2}, {0, 0});
}

BOOST_AUTO_TEST_CASE(initialize_starts_anew) {
  nn::Sequential model(nn::BatchNorm(2), nn::LayerNorm(2));
  const nn::State fresh = model.state();
  model(cast(random_tensor({4, 2}), DType::float32), nn::Training());
  for (const Variable& parameter : model.parameters()) {
    parameter.assign(parameter + 1);
  }
  model.initialize(random::Key(1));
  for (const auto& [name, array] : fresh) {
    BOOST_TEST((elements(Tensor(model.state().at(name))) == elements(Tensor(array))), name);
  }
}

BOOST_AUTO_TEST_CASE(batch_norm_learns_with_dense_layers) {
  const Tensor x = {{0.0F, 0.0F}, {0.0F, 1.0F}, {1.0F, 0.0F}, {1.0F, 1.0F}};
  const Tensor y = {0, 1, 1, 0};
  nn::Sequential model(nn::Dense(2, 8), nn::BatchNorm(8), nn::ReLU(), nn::Dense(8, 2));
  model.initialize(random::Key(2));
  nn::Adam adam(model.parameters(), {.learning_rate = 0.05});
  for (int i = 0; i < 200; ++i) {
    adam.minimize(nn::cross_entropy(model(x, nn::Training()), y));
  }
  BOOST_TEST(nn::cross_entropy(model(x), y).item() < 0.05);  // by the running statistics
}

BOOST_AUTO_TEST_CASE(batch_norm_refuses_what_it_cannot_do) {
  const nn::BatchNorm norm(3);
  const auto line = std::to_string(__LINE__ + 1);
  const auto call = [&] { norm(zeros({8, 4})); };
  check_throws<ShapeError>(call, {"[batch_norm] ", "3 features", "(8, 4)", "4 on axis 1", "normalization.cpp:" + line});
  check_throws<ValueError>([&] { norm(zeros({1, 3}), nn::Training()); }, {"two elements", "(1, 3)", "has 1"});
  check_throws<ValueError>([&] { norm(zeros({0, 3}), nn::Training()); }, {"has 0"});
  check_throws<ValueError>([] { nn::BatchNorm(0); }, {"[batch_norm] ", "(0,)"});
  check_throws<ValueError>([] { nn::BatchNorm(-1); }, {"[batch_norm] ", "(-1,)"});
  check_throws<ValueError>([] { nn::BatchNorm(3, {.momentum = 1.5}); }, {"momentum", "1.5"});
  check_elements(norm.running_mean(), {3}, {0, 0, 0});
}

BOOST_AUTO_TEST_SUITE_END()
