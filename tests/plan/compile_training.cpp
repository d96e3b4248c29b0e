#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(plan_compile_training)

namespace {

using namespace xgrad;
using testing::elements;

using MakeOptimizer = std::function<std::unique_ptr<nn::Optimizer>(const nn::Variables&)>;

struct Run {
  std::vector<double> losses;
  std::vector<double> weights;  // of all parameters, in the end
  std::size_t traces = 0;
};

/// Trains a small classifier, the learning rate falling, on batches of two sizes.
Run train(const MakeOptimizer& make_optimizer, bool compiled) {
  nn::Sequential model(nn::Dense(6, 16), nn::ReLU(), nn::Dense(16, 3));
  model.initialize(random::Key(1));
  const auto optimizer = make_optimizer(model.parameters());
  const auto plain = [&](const Tensor& x, const Tensor& labels) {
    const Tensor loss = nn::cross_entropy(model(x), labels);
    optimizer->minimize(loss);
    return loss;
  };
  const auto step = compile(plain);
  Run run;
  for (std::uint64_t i = 0; i < 30; ++i) {
    optimizer->learning_rate().assign(0.05 / (1 + 0.1 * static_cast<double>(i)));
    const std::int64_t size = i % 5 == 4 ? 7 : 16;
    const Tensor x = random::normal(random::Key(2).fold(i), {size, 6});
    const Tensor labels = argmax(x[{all(), range(0, 3)}], -1);
    run.losses.push_back((compiled ? step(x, labels) : plain(x, labels)).item());
  }
  for (const Variable& parameter : model.parameters()) {
    const std::vector<double> weights = elements(parameter);
    run.weights.insert(run.weights.end(), weights.begin(), weights.end());
  }
  run.traces = step.trace_count();
  return run;
}

/// Whether training goes the same way compiled and define-by-run, up to rounding of float32.
void check_training(const MakeOptimizer& make_optimizer) {
  const Run expected = train(make_optimizer, false);
  const Run actual = train(make_optimizer, true);
  BOOST_TEST(actual.losses == expected.losses, boost::test_tools::tolerance(1e-4) << boost::test_tools::per_element());
  BOOST_TEST(actual.losses.back() < 0.7 * actual.losses.front());
  BOOST_TEST(actual.weights.size() == expected.weights.size());
  for (std::size_t i = 0; i < expected.weights.size(); ++i) {
    BOOST_TEST(std::abs(actual.weights[i] - expected.weights[i]) < 1e-4);
  }
  BOOST_TEST(actual.traces == 2u);
}

}  // namespace

BOOST_AUTO_TEST_CASE(sgd_with_momentum_follows_define_by_run) {
  check_training([](const nn::Variables& parameters) {
    return std::make_unique<nn::SGD>(parameters, nn::SGDOptions{.momentum = 0.9, .weight_decay = 1e-3});
  });
}

BOOST_AUTO_TEST_CASE(adam_follows_define_by_run) {
  check_training([](const nn::Variables& parameters) { return std::make_unique<nn::Adam>(parameters); });
}

BOOST_AUTO_TEST_CASE(several_steps_in_one_call) {
  const auto train_two = [](bool compiled) {
    const Variable w(Tensor{1.0, -2.0}, "w");
    nn::Adam adam({w}, {.learning_rate = 0.1});
    const auto two_steps = [&] {
      adam.minimize(sum(square(w)));
      const Tensor loss = sum(square(w));
      adam.minimize(loss);
      return loss;
    };
    const auto step = compile(two_steps);
    std::vector<double> numbers;
    for (int call = 0; call < 4; ++call) {
      numbers.push_back((compiled ? step() : two_steps()).item());
    }
    const std::vector<double> content = elements(w);
    numbers.insert(numbers.end(), content.begin(), content.end());
    return numbers;
  };
  BOOST_TEST(train_two(true) == train_two(false), boost::test_tools::tolerance(1e-12)
                                                      << boost::test_tools::per_element());
}

// A model with dropout and batch normalisation, and a step that counts itself.
struct CountedTraining {
  nn::Sequential model{nn::Dense(6, 16), nn::BatchNorm(16), nn::ReLU(), nn::Dropout(0.5), nn::Dense(16, 3)};
  nn::Adam adam{model.parameters()};
  Variable steps{Tensor(std::int64_t{0}), "steps"};

  Tensor step(const Tensor& x, const Tensor& labels) {
    const Tensor loss = nn::cross_entropy(model(x, nn::Training(random::Key(5).fold(steps))), labels);
    adam.minimize(loss);
    steps.assign(steps + 1);
    return loss;
  }
};

BOOST_AUTO_TEST_CASE(dropout_follows_a_counter) {
  CountedTraining plain;
  CountedTraining traced;
  CountedTraining by_number;  // folds in numbers
  const auto step = compile([&](const Tensor& x, const Tensor& labels) { return traced.step(x, labels); });
  const Tensor x = random::normal(random::Key(2), {16, 6});
  const Tensor labels = argmax(x[{all(), range(0, 3)}], -1);
  for (std::uint64_t i = 0; i < 10; ++i) {
    const double expected = plain.step(x, labels).item();
    BOOST_TEST(step(x, labels).item() == expected, boost::test_tools::tolerance(1e-4));
    const nn::Training mode(random::Key(5).fold(i));
    const Tensor loss = nn::cross_entropy(by_number.model(x, mode), labels);
    by_number.adam.minimize(loss);
    BOOST_TEST(loss.item() == expected, boost::test_tools::tolerance(1e-4));
    if (i == 4) {
      const Tensor wrong = full({16}, 3, DType::int64);
      BOOST_CHECK_THROW(step(x, wrong), ValueError);  // the counter stays
      BOOST_TEST(traced.steps.item() == 5);
    }
  }
  BOOST_TEST(traced.steps.item() == 10);
  BOOST_TEST(step.trace_count() == 1u);
}

BOOST_AUTO_TEST_CASE(masks_differ_from_call_to_call) {
  const Variable steps(Tensor(std::int64_t{0}), "steps");
  const nn::Dropout dropout(0.5);
  const auto drop = compile([&](const Tensor& x) {
    const Tensor y = dropout(x, nn::Training(random::Key(1).fold(steps)));
    steps.assign(steps + 1);
    return y;
  });
  const Tensor x = ones({64});
  for (std::uint64_t i = 0; i < 3; ++i) {
    const std::vector<double> y = elements(drop(x));
    BOOST_TEST((y == elements(dropout(x, nn::Training(random::Key(1).fold(i))))));
    BOOST_TEST((y != elements(dropout(x, nn::Training(random::Key(1).fold(i + 1))))));
  }
}

BOOST_AUTO_TEST_SUITE_END()
