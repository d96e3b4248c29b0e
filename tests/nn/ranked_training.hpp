#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/nn/thread_ranks.hpp"
#include "tests/testing.hpp"

/// \file
/// What tests of the Trainer over ranks share: a training that is made on any number of them, and compared.

namespace xgrad::testing::ranked {

using datasets::Dataset;
using World = std::shared_ptr<const nn::Ranks>;

// Small images of three classes: which row is bright.
inline Dataset make_data(std::int64_t samples, std::uint64_t seed = 3) {
  const Tensor labels = remainder(arange(static_cast<double>(samples), DType::int64), 3);
  const Tensor noise = random::uniform(random::Key(seed), {samples, 3, 4});
  const Tensor bright = reshape(one_hot(labels, 3), {samples, 3, 1});
  return {cast(noise + bright, DType::float32).array(), labels.array()};
}

inline nn::Sequential make_model(bool random = true) {
  nn::Sequential model;
  model.append(nn::Dense(12, 8));
  if (random) {
    model.append(nn::BatchNorm(8));
  }
  model.append(nn::ReLU());
  if (random) {
    model.append(nn::Dropout(0.3));
  }
  model.append(nn::Dense(8, 3));
  model.initialize(random::Key(1));
  return model;
}

// Counts what is of class 0, in a way of its own.
struct Zeros {
  std::int64_t count = 0;
  void update(const Tensor&, const Tensor& targets) {
    const Tensor labels = is_floating(targets.dtype()) ? argmax(targets, -1) : targets;
    count += sum(equal(labels, 0)).item<std::int64_t>();
  }
  void reset() { count = 0; }
  double value() const { return static_cast<double>(count); }
  std::string name() const { return "zeros"; }
  void save(nn::Saved& saved) const { saved.put("count", count); }
  void load(const nn::Saved& saved) { saved.load("count", count); }
};

using Make = std::function<std::shared_ptr<nn::Optimizer>(const nn::Variables&)>;

inline std::shared_ptr<nn::Optimizer> make_adam(const nn::Variables& parameters) {
  return std::make_shared<nn::Adam>(parameters, nn::AdamOptions{.learning_rate = 0.01});
}

inline std::shared_ptr<nn::Optimizer> make_sgd(const nn::Variables& parameters) {
  return std::make_shared<nn::SGD>(parameters, nn::SGDOptions{.learning_rate = 0.05, .momentum = 0.9});
}

// What there is after a training on one rank.
struct Trained {
  nn::State model = {}, optimizer = {};
  nn::History history = {};
  std::vector<double> losses = {};  // of batches
};

struct Run {
  std::int64_t shards = 8;
  Make make_optimizer = make_adam;
  bool random = true;
  nn::Clipping clipping = {};
  std::int64_t accumulate = 1;
  std::int64_t epochs = 3;
  std::int64_t batch_size = 32;
  std::int64_t samples = 122;  // the last batch has 26: six shards of 4, one of 2, and one of none
  bool synchronize = false;
  bool watched = true;  // whether there is a callback that reads scores after each batch
  std::vector<nn::Metric> metrics = {nn::Accuracy(), nn::F1(3), Zeros()};
  std::function<std::vector<nn::Callback>(const World&, nn::Trainer&)> callbacks = {};
  std::optional<std::filesystem::path> resume = {};

  Trained operator()(const World& world) const {
    const nn::Sequential model = make_model(random);
    const std::shared_ptr<nn::Optimizer> optimizer = make_optimizer(model.parameters());
    datasets::BatchOptions batches{.batch_size = batch_size, .seed = 5};
    if (random) {
      batches.augment = {datasets::shift(1), datasets::mixup(0.4, 3)};
    }
    std::vector<nn::Metric> own;
    for (const nn::Metric& metric : metrics) {
      own.push_back(metric.clone());
    }
    nn::Trainer trainer(model, optimizer, nn::cross_entropy,
                        {.metrics = own,
                         .clipping = clipping,
                         .accumulate = accumulate,
                         .batches = batches,
                         .world = world,
                         .shards = shards,
                         .synchronize_batch_norm = synchronize});
    Trained result;
    std::vector<nn::Callback> all = callbacks ? callbacks(world, trainer) : std::vector<nn::Callback>();
    all.push_back({.on_batch_end = [&](nn::TrainingState& t) { result.losses.push_back(t.batch_loss); },
                   .name = "losses",
                   .save = [](nn::Saved&) {},
                   .load = [](const nn::Saved&) {},
                   .silent = !watched});
    result.history = trainer.fit(make_data(samples), {.epochs = epochs,
                                                      .validation = make_data(70, 4),
                                                      .callbacks = all,
                                                      .progress = nn::Progress::quiet,
                                                      .resume = resume});
    result.model = model.state();
    result.optimizer = nn::detail::state_of(optimizer->named_variables());
    return result;
  }
};

inline void check_same(const nn::State& a, const nn::State& b, const std::string& where) {
  BOOST_TEST_REQUIRE(a.size() == b.size());
  for (const auto& [name, array] : a) {
    BOOST_TEST((std::memcmp(array.data(), b.at(name).data(), array.bytes()) == 0), name << where);
  }
}

inline void check_same(const Trained& a, const Trained& b, const std::string& where) {
  check_same(a.model, b.model, where);
  check_same(a.optimizer, b.optimizer, where);
  BOOST_TEST(a.losses == b.losses, where);
  BOOST_TEST_REQUIRE(a.history.epochs.size() == b.history.epochs.size());
  for (std::size_t i = 0; i < a.history.epochs.size(); ++i) {
    for (const auto& [name, value] : a.history.epochs[i]) {
      BOOST_TEST((name == "seconds" || value == b.history.epochs[i][name]), name << where);
    }
  }
}

inline std::vector<Trained> train_on(std::int64_t ranks, const Run& run) {
  std::vector<Trained> results(static_cast<std::size_t>(ranks));
  for (const std::exception_ptr& thrown :
       run_ranks(ranks, [&](const World& world) { results[static_cast<std::size_t>(world->rank())] = run(world); })) {
    BOOST_TEST_REQUIRE(text_of(thrown) == "");
  }
  return results;
}

// The same on 1, 2, 4 and 8 ranks, and in one process without any.
inline void check_any_number_of_ranks(const Run& run) {
  const Trained alone = run(nullptr);
  BOOST_TEST(alone.losses.front() > alone.losses.back());
  for (const std::int64_t ranks : {1, 2, 4, 8}) {
    for (const Trained& one : train_on(ranks, run)) {
      check_same(alone, one, " on " + std::to_string(ranks) + " ranks");
    }
  }
  Run unwatched = run;
  unwatched.watched = false;
  check_same(alone, unwatched(nullptr), " unwatched");
  check_same(alone, train_on(4, unwatched).back(), " unwatched on 4 ranks");
}

inline double largest_difference(const nn::State& a, const nn::State& b) {
  double largest = 0;
  for (const auto& [name, array] : a) {
    const Tensor difference = cast(Tensor(array), DType::float64) - cast(Tensor(b.at(name)), DType::float64);
    largest = std::max(largest, amax(abs(difference)).item());
  }
  return largest;
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace xgrad::testing::ranked
