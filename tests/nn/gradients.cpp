#include "nn/optimizers/gradients.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "autograd/transforms/grad.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_gradients)

namespace {

using namespace xgrad;
using testing::check_elements;
using testing::check_throws;
using testing::elements;

}  // namespace

BOOST_AUTO_TEST_CASE(values_are_limited_each_by_itself) {
  const Tensors clipped = nn::clip_by_value({Tensor{-3.0, 0.5, 2.0}, Tensor{{0.1F, 7.0F}}}, 1.5);
  check_elements(clipped[0], {3}, {-1.5, 0.5, 1.5});
  check_elements(clipped[1], {1, 2}, {elements(Tensor(0.1F))[0], 1.5});
  BOOST_TEST(clipped[1].dtype() == DType::float32);
}

BOOST_AUTO_TEST_CASE(the_norm_is_of_all_gradients_together) {
  const Tensors gradients = {Tensor{3.0, 0.0}, Tensor{{4.0F}, {12.0F}}};
  const Tensor norm = nn::global_norm(gradients);
  BOOST_TEST(norm.dtype() == DType::float64);
  check_elements(norm, {}, {13}, 1e-15);
  const Tensors clipped = nn::clip_by_global_norm(gradients, 6.5);
  check_elements(clipped[0], {2}, {6.5 / (13 + 1e-6) * 3, 0}, 1e-15);
  check_elements(clipped[1], {2, 1}, {6.5 / (13 + 1e-6) * 4, 6.5 / (13 + 1e-6) * 12}, 1e-6);
  BOOST_TEST(clipped[1].dtype() == DType::float32);
  const Tensors kept = nn::clip_by_global_norm(gradients, 14);
  check_elements(kept[0], {2}, {3, 0});
  check_elements(kept[1], {2, 1}, {4, 12});
  const Tensors none = nn::clip_by_global_norm({zeros({2})}, 1);
  check_elements(none[0], {2}, {0, 0});
}

BOOST_AUTO_TEST_CASE(the_norm_of_large_and_small_gradients_is_right) {
  check_elements(nn::global_norm({Tensor{3e20F, 0.0F}, Tensor{4e20F}}), {}, {5e20}, 1e-7);
  check_elements(nn::global_norm({Tensor{3e-30F}, Tensor{4e-30F}}) * 1e30, {}, {5}, 1e-7);
  check_elements(nn::global_norm({Tensor{3e200, 0.0}, Tensor{4e200}}), {}, {5e200}, 1e-15);
  check_elements(nn::global_norm({Tensor{3e-200, 0.0}, Tensor{4e-200}}) * 1e200, {}, {5}, 1e-15);
  check_elements(nn::clip_by_global_norm({Tensor{1e20F}}, 0.1)[0], {1}, {0.1}, 1e-7);
  check_elements(nn::clip_by_global_norm({Tensor{3e200, 4e200}}, 0.5)[0], {2}, {0.3, 0.4}, 1e-15);
  const Tensor x = {3.0, 4.0};
  check_elements(grad(nn::global_norm({x}), x), {2}, {0.6, 0.8}, 1e-15);
}

// What minimize and step do, whose norm of float32 gradients is found in another way.
BOOST_AUTO_TEST_CASE(steps_clip_large_and_small_gradients) {
  for (const float size : {1e20F, 1.0F, 1e-18F, 1e-30F}) {
    const Variable a(Tensor{0.0F, 0.0F}, "a");
    const Variable b(Tensor{0.0}, "b");
    nn::SGD sgd({a, b}, {.learning_rate = 1});
    const double norm = 5 * static_cast<double>(size);
    sgd.step({Tensor{3 * size, 0.0F}, Tensor{4.0 * static_cast<double>(size)}}, {.norm = 0.5 * norm});
    const double factor = 0.5 * norm / (norm + 1e-6);
    check_elements(a / size, {2}, {-3 * factor, 0}, 1e-6);
    check_elements(b / static_cast<double>(size), {1}, {-4 * factor}, 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(gradients_that_are_not_finite_are_an_error_before_anything_is_written) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {infinity, -infinity, std::nan("")}) {
    const Variable a(Tensor{1.0, 2.0}, "0.weight");
    const Variable b(Tensor{3.0F}, "0.bias");
    nn::Adam adam({a, b});
    const Tensors gradients = {Tensor{1.0, 1.0}, Tensor{static_cast<float>(bad)}};
    for (const nn::Clipping& clipping : {nn::Clipping{.norm = 1}, nn::Clipping{.not_finite = nn::NotFinite::error}}) {
      check_throws<ValueError>([&] { adam.step(gradients, clipping); },
                               {"[optimizer] the gradient of parameter '1.0.bias'", "skip", "gradients.cpp"});
      check_elements(a, {2}, {1, 2});
      check_elements(adam.state()[0], {}, {0});
    }
    adam.step({Tensor{1.0, 1.0}, Tensor{1.0F}}, {.norm = 1});
    const std::vector<double> before = elements(a);
    adam.step(gradients, {.norm = 1, .not_finite = nn::NotFinite::skip});
    BOOST_TEST(elements(a) == before);
    check_elements(adam.state()[0], {}, {1});
    adam.step({Tensor{1.0, 1.0}, Tensor{1.0F}}, {.norm = 1, .not_finite = nn::NotFinite::skip});
    BOOST_TEST(elements(a) != before);
    check_elements(adam.state()[0], {}, {2});
  }
  const Variable w(Tensor{1.0}, "w");
  nn::SGD sgd({w}, {.learning_rate = 1});
  sgd.step({Tensor{infinity}}, {.value = 0.25, .not_finite = nn::NotFinite::error});  // the value is limited first
  check_elements(w, {1}, {0.75});
}

BOOST_AUTO_TEST_CASE(senseless_limits_are_refused) {
  const Tensors gradients = {Tensor{1.0}};
  check_throws<ValueError>([&] { nn::clip_by_value(gradients, 0); }, {"[clip_by_value] ", "above 0, got 0"});
  check_throws<ValueError>([&] { nn::clip_by_global_norm(gradients, -1); }, {"[clip_by_global_norm] ", "got -1"});
  check_throws<ValueError>([&] { nn::clip_by_value(gradients, std::nan("")); }, {"nan", "gradients.cpp"});
  check_throws<ValueError>([] { nn::global_norm({}); }, {"[global_norm] ", "empty", "gradients.cpp"});
}

BOOST_AUTO_TEST_CASE(minimize_clips) {
  const auto loss = [](const Tensor& a, const Tensor& b) { return 3 * a + 4 * b; };
  const Variable a(Tensor(0.0), "a");
  const Variable b(Tensor(0.0), "b");
  nn::SGD sgd({a, b}, {.learning_rate = 1});
  sgd.minimize(loss(a, b), {.norm = 1});
  check_elements(a, {}, {-3 / (5 + 1e-6)}, 1e-15);
  check_elements(b, {}, {-4 / (5 + 1e-6)}, 1e-15);
  a.assign(0);
  b.assign(0);
  sgd.minimize(loss(a, b), {.value = 3.5});
  check_elements(a, {}, {-3});
  check_elements(b, {}, {-3.5});
  a.assign(0);
  sgd.minimize(loss(a, b), {.norm = 0.5, .value = 3});  // (3, 3), then of norm 1/2
  check_elements(a, {}, {-0.5 / std::sqrt(2)}, 1e-6);
}

// Clipping comes before weight decay, as a call of it between backward and step in PyTorch does.
BOOST_AUTO_TEST_CASE(weight_decay_is_not_clipped) {
  const Variable w(Tensor(10.0), "w");
  nn::SGD sgd({w}, {.learning_rate = 1, .weight_decay = 0.5});
  sgd.minimize(100 * w, {.value = 1});
  check_elements(w, {}, {10 - (1 + 5)});
}

BOOST_AUTO_TEST_CASE(accumulated_gradients_are_those_of_one_large_batch) {
  const Tensor x = testing::random_tensor({12, 3});
  const Tensor y = testing::random_tensor({12}, -1, 1, 2);
  const Variable w(Tensor{0.5, -0.5, 0.25}, "w");
  const Variable b(Tensor(0.1), "b");
  const auto loss = [&](std::int64_t first, std::int64_t last) {
    return nn::mse(matmul(x[range(first, last)], w) + b, y[range(first, last)]);
  };
  const Tensors whole = grad(loss(0, 12), {w, b});
  nn::GradientAccumulator gradients({w, b});
  for (int round = 0; round < 2; ++round) {
    for (std::int64_t i = 0; i < 3; ++i) {
      gradients.add(loss(4 * i, 4 * i + 4));
    }
    BOOST_TEST(gradients.count().item() == 3);
    check_elements(gradients.mean()[0], {3}, elements(whole[0]), 1e-14);
    check_elements(gradients.mean()[1], {}, elements(whole[1]), 1e-14);
    check_elements(gradients.sum()[1], {}, elements(3 * whole[1]), 1e-14);
    gradients.reset();
    BOOST_TEST(gradients.count().item() == 0);
    check_elements(gradients.sum()[0], {3}, {0, 0, 0});
  }
}

// The mean over twelve samples, in parts of 5, 5 and 2.
BOOST_AUTO_TEST_CASE(a_smaller_last_batch_counts_by_its_samples) {
  const Tensor x = testing::random_tensor({12});
  const Variable w(Tensor(0.5), "w");
  const auto loss = [&](std::int64_t first, std::int64_t last) {
    return nn::mse(x[range(first, last)] * w, zeros({last - first}, DType::float64));
  };
  nn::GradientAccumulator gradients({w});
  for (const std::int64_t first : {0, 5, 10}) {
    const std::int64_t last = std::min<std::int64_t>(first + 5, 12);
    gradients.add(loss(first, last), static_cast<double>(last - first));
  }
  BOOST_TEST(gradients.count().item() == 12);
  check_elements(gradients.mean()[0], {}, elements(grad(loss(0, 12), w)), 1e-14);
  check_throws<ValueError>([&] { gradients.add(loss(0, 5), 0); }, {"[gradient_accumulator] ", "weight", "got 0"});
}

BOOST_AUTO_TEST_CASE(gradients_that_are_known_are_accumulated_by_their_weight) {
  const Variable w(Tensor{1.0F, 2.0F}, "w");
  nn::GradientAccumulator gradients({w});
  gradients.add_gradients({Tensor{1.0F, 2.0F}}, 3.0);
  gradients.add_gradients({Tensor{5.0F, -2.0F}}, 1.0);
  check_elements(gradients.sum()[0], {2}, {8, 4});
  check_elements(gradients.mean()[0], {2}, {2, 1});
  check_throws<ValueError>([&] { gradients.add_gradients({}, 1.0); }, {"[gradient_accumulator] "});
  check_throws<ShapeError>([&] { gradients.add_gradients({Tensor{1.0F}}, 1.0); }, {"[gradient_accumulator] "});
  BOOST_TEST(gradients.count().item() == 4);
}

BOOST_AUTO_TEST_CASE(what_a_step_would_assign_can_be_looked_at) {
  const Variable w(Tensor{1.0, 2.0}, "w");
  const nn::SGD sgd({w}, {.learning_rate = 0.5, .momentum = 0.9});
  const std::vector<Assignment> updates = sgd.updates({Tensor{2.0, 4.0}}, {.value = 3.0});
  BOOST_TEST_REQUIRE(updates.size() == 2);
  for (const auto& [variable, value] : updates) {
    const bool is_weight = variable.same_as(w);
    check_elements(value, {2}, is_weight ? std::vector<double>{0, 0.5} : std::vector<double>{2, 3});
  }
  check_elements(w, {2}, {1, 2});
}

BOOST_AUTO_TEST_CASE(accumulated_gradients_stay_when_the_accumulator_is_reset) {
  const Variable w(Tensor{1.0F, 2.0F}, "w");
  nn::GradientAccumulator gradients({w});
  gradients.add(sum(square(w)));
  const Tensors mean = gradients.mean();
  gradients.reset();
  check_elements(mean[0], {2}, {2, 4});
  nn::SGD sgd({w}, {.learning_rate = 0.5});
  sgd.step(mean);
  check_elements(w, {2}, {0, 0});
}

BOOST_AUTO_TEST_CASE(what_cannot_be_accumulated_is_refused) {
  const Variable w(Tensor(1.0), "w");
  check_throws<ValueError>([] { nn::GradientAccumulator({}); }, {"[gradient_accumulator] ", "empty", "gradients.cpp"});
  check_throws<ValueError>([&] { nn::GradientAccumulator({w, w}); }, {"same variable, 'w'"});
  nn::GradientAccumulator gradients({w});
  check_throws<GradientError>([&] { gradients.add(Tensor(1.0)); }, {"'w'", "gradients.cpp"});
  BOOST_TEST(gradients.count().item() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
