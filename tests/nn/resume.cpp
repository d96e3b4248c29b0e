#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "autograd/runtime/workers.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_resume)

namespace nn_resume {

using namespace xgrad;
using datasets::Dataset;
using testing::check_throws;

// Small images of three classes: which row is bright.
Dataset make_data(std::int64_t samples = 44, std::uint64_t seed = 3) {
  const Tensor labels = remainder(arange(static_cast<double>(samples), DType::int64), 3);
  const Tensor noise = random::uniform(random::Key(seed), {samples, 3, 4});
  const Tensor bright = reshape(one_hot(labels, 3), {samples, 3, 1});
  return {cast(noise + bright, DType::float32).array(), labels.array()};
}

using Make = std::shared_ptr<nn::Optimizer> (*)(const nn::Variables& parameters);

template <class O>
std::shared_ptr<nn::Optimizer> make(const nn::Variables& parameters) {
  return std::make_shared<O>(parameters);
}

std::shared_ptr<nn::Optimizer> make_momentum(const nn::Variables& parameters) {
  return std::make_shared<nn::SGD>(parameters,
                                   nn::SGDOptions{.learning_rate = 0.05, .momentum = 0.9, .nesterov = true});
}

std::shared_ptr<nn::Optimizer> make_slow(const nn::Variables& parameters) {
  return std::make_shared<nn::Adam>(parameters, nn::AdamOptions{.learning_rate = 1e-4});
}

struct Killed {};

// A training in which everything knows something from one batch to the next.
struct Run {
  Make make_optimizer = make<nn::Adam>;
  std::int64_t epochs = 3;
  std::int64_t batch_size = 8;
  std::uint64_t seed = 5;
  std::int64_t accumulate = 3;
  std::int64_t patience = 1;
  nn::Module activation = nn::ReLU();
  std::int64_t hidden = 8;
  double largest_rate = 0.02;
  ProductPrecision products = ProductPrecision::float32;
  std::filesystem::path folder;
  std::optional<std::filesystem::path> resume = {};
  std::int64_t killed_at = -1;  // in which of the calls of a callback in the middle of all
  std::filesystem::path checkpoint = {};

  // What there is in the end.
  nn::State model = {}, optimizer = {}, averages = {};
  nn::History history = {};
  std::string log = {};
  std::int64_t calls = 0;

  void operator()(const Dataset& data = make_data()) {
    nn::Sequential layers(nn::Dense(12, hidden), nn::BatchNorm(hidden), activation, nn::Dropout(0.3),
                          nn::Dense(hidden, 3));
    layers.initialize(random::Key(1));
    const std::shared_ptr<nn::Optimizer> optimizes = make_optimizer(layers.parameters());
    nn::ExponentialMovingAverage average(layers.parameters(), {.decay = 0.9, .bias_correction = true});
    nn::Trainer trainer(
        layers, optimizes, nn::cross_entropy,
        {.metrics = {nn::Accuracy(), nn::F1(3)},
         .clipping = {.norm = 1},
         .accumulate = accumulate,
         .batches = {.batch_size = batch_size, .seed = seed, .augment = {datasets::shift(1), datasets::mixup(0.4, 3)}},
         .products = products});
    const auto die = [&](nn::TrainingState&) {
      if (calls++ == killed_at) {
        trainer.save(checkpoint);
        throw Killed();
      }
    };
    const nn::Callback killer{.on_start = die,
                              .on_epoch_start = die,
                              .on_batch_start = die,
                              .on_batch_end = die,
                              .on_epoch_end = die,
                              .on_end = die,
                              .name = "killer",
                              .save = [](nn::Saved&) {},
                              .load = [](const nn::Saved&) {}};
    const nn::Schedule rate = nn::schedules::one_cycle(largest_rate, 18);
    history =
        trainer.fit(data, {.epochs = epochs,
                           .validation_fraction = 0.2,
                           .callbacks = {nn::callbacks::schedule(rate), nn::callbacks::csv_log(folder / "log.csv"),
                                         nn::callbacks::early_stopping({.monitor = "loss", .patience = patience}),
                                         killer, nn::callbacks::moving_average(average),
                                         nn::callbacks::reduce_on_plateau({.patience = 0}, "validation_accuracy")},
                           .progress = nn::Progress::quiet,
                           .resume = resume});
    model = layers.state();
    optimizer = nn::detail::state_of(optimizes->named_variables());
    averages = nn::detail::state_of(average.named_variables());
    log = testing::read_bytes(folder / "log.csv");
  }
};

void check_same(const nn::State& a, const nn::State& b) {
  BOOST_TEST_REQUIRE(a.size() == b.size());
  for (const auto& [name, array] : a) {
    BOOST_TEST((std::memcmp(array.data(), b.at(name).data(), array.bytes()) == 0), name);
  }
}

// Seconds are the last field, and those of the one and the other differ.
std::string without_seconds(const std::string& log) {
  std::istringstream lines(log);
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    all += line.substr(0, line.rfind(',')) + '\n';
  }
  return all;
}

void check_same(const Run& a, const Run& b) {
  check_same(a.model, b.model);
  check_same(a.optimizer, b.optimizer);
  check_same(a.averages, b.averages);
  BOOST_TEST(a.history.stopped == b.history.stopped);
  BOOST_TEST(without_seconds(a.log) == without_seconds(b.log));
  BOOST_TEST_REQUIRE(a.history.epochs.size() == b.history.epochs.size());
  for (std::size_t i = 0; i < a.history.epochs.size(); ++i) {
    auto other = b.history.epochs[i].begin();
    for (const auto& [name, value] : a.history.epochs[i]) {
      BOOST_TEST(other->first == name);
      BOOST_TEST((name == "seconds" || other->second == value || (std::isnan(value) && std::isnan(other->second))),
                 name);
      ++other;
    }
  }
}

struct Files : testing::TemporaryFolder {
  std::filesystem::path at = folder / "run.safetensors";

  Run run() const { return {.folder = folder, .checkpoint = at}; }

  // Runs to the end, and again with a checkpoint and an end in each of `each`-th calls of a callback.
  void check_every(const Run& like, std::int64_t each) const {
    Run whole = like;
    whole();
    BOOST_TEST_REQUIRE(whole.calls > 20);
    for (std::int64_t i = 0; i < whole.calls; i += each) {
      BOOST_TEST_CONTEXT("killed in call " << i << " of " << whole.calls) {
        Run killed = like;
        killed.killed_at = i;
        BOOST_CHECK_THROW(killed(), Killed);
        Run resumed = like;
        resumed.resume = at;
        resumed();
        check_same(whole, resumed);
      }
    }
  }
};

}  // namespace nn_resume

using namespace nn_resume;

BOOST_FIXTURE_TEST_CASE(a_run_that_is_killed_anywhere_ends_in_the_same_bits, Files) { check_every(run(), 1); }

BOOST_FIXTURE_TEST_CASE(so_it_does_with_every_optimiser, Files) {
  const Make all[] = {make<nn::SGD>,     make_momentum,     make<nn::NAdam>,    make<nn::RAdam>, make<nn::Adamax>,
                      make<nn::RMSprop>, make<nn::Adagrad>, make<nn::Adadelta>, make<nn::Lion>};
  for (const Make make_optimizer : all) {
    Run like = run();
    like.make_optimizer = make_optimizer;
    like.accumulate = 1;
    check_every(like, 11);
  }
}

BOOST_FIXTURE_TEST_CASE(the_number_of_threads_may_change, Files) {
  const int before = runtime::num_threads();
  runtime::set_num_threads(1);
  Run whole = run();
  whole.batch_size = 30;
  Run killed = whole;
  Run resumed = whole;
  whole();
  killed.killed_at = 6;
  BOOST_CHECK_THROW(killed(), Killed);
  runtime::set_num_threads(3);
  resumed.resume = at;
  resumed();
  check_same(whole, resumed);
  runtime::set_num_threads(before);
}

BOOST_FIXTURE_TEST_CASE(more_epochs_go_on_from_the_last, Files) {
  Run whole = run();
  whole.patience = 100;
  whole();
  Run first = run();
  first.patience = 100;
  first.epochs = 2;
  first.killed_at = 1 + 2 * (2 + 2 * 5) - 1;  // at the end of the second epoch
  BOOST_CHECK_THROW(first(), Killed);
  Run longer = run();
  longer.patience = 100;
  longer.resume = at;
  longer();
  check_same(whole, longer);
}

BOOST_FIXTURE_TEST_CASE(another_run_is_told_what_differs, Files) {
  Run killed = run();
  killed.killed_at = 9;
  BOOST_CHECK_THROW(killed(), Killed);
  const auto refused = [&](const std::function<void(Run&)>& change, std::initializer_list<std::string_view> words,
                           const Dataset& data = make_data()) {
    Run other = run();
    other.resume = at;
    change(other);
    check_throws<ValueError>([&] { other(data); }, words);
  };
  refused([](Run& r) { r.make_optimizer = make_slow; },
          {"options/optimizer/learning_rate is 0.0001, in the checkpoint 0.001"});
  refused([](Run& r) { r.largest_rate = 0.03; }, {"[schedule] the learning rate at step 0 is", "in the checkpoint"});
  const auto nothing = [](Run&) {};
  refused([](Run& r) { r.batch_size = 4; }, {"[fit] ", "options/batch_size is 4, in the checkpoint 8", "resume.cpp:"});
  refused([](Run& r) { r.seed = 6; }, {"options/seed is `6`, in the checkpoint `5`"});
  refused([](Run& r) { r.accumulate = 1; }, {"options/accumulate is 1, in the checkpoint 3", "gradients/count"});
  refused([](Run& r) { r.patience = 4; }, {"callback/early_stopping/options/patience is 4, in the checkpoint 1"});
  refused([](Run& r) { r.products = ProductPrecision::bfloat16; }, {"options/products is `bfloat16`"});
  refused([](Run& r) { r.activation = nn::Tanh(); }, {"training step is "});
  refused([](Run& r) { r.hidden = 9; },
          {"model/0.bias is `float32(9,)`, in the checkpoint `float32(8,)`", "model/4.weight is", "more"});
  refused([](Run& r) { r.make_optimizer = make<nn::RAdam>; }, {"optimizer is `RAdam`, in the checkpoint `Adam`"});
  refused([](Run& r) { r.make_optimizer = make<nn::SGD>; },
          {"optimizer is `SGD`", "optimizer/step is `float64()` in the checkpoint; here there is none"});
  refused(nothing, {"data/features is `float32(45, 3, 4)`, in the checkpoint `float32(44, 3, 4)`"}, make_data(45));
  refused(nothing, {"data/hash is"}, make_data(44, 4));
}

BOOST_FIXTURE_TEST_CASE(fits_that_follow_each_other_go_on_too, Files) {
  const Dataset data = make_data();
  const auto fit = [&](nn::Trainer& trainer, std::optional<std::filesystem::path> resume = {}) {
    return trainer.fit(data, {.epochs = 1, .progress = nn::Progress::quiet, .resume = std::move(resume)});
  };
  const auto make_trainer = [](const nn::Sequential& model) {
    return nn::Trainer(model, nn::Adam(model.parameters()), nn::cross_entropy, {.batches = {.batch_size = 16}});
  };
  nn::Sequential model(nn::Dense(12, 4), nn::Dropout(0.5), nn::Dense(4, 3));
  const nn::Sequential same = model.clone();
  const nn::Sequential other = model.clone();
  nn::Trainer whole = make_trainer(model);
  fit(whole);
  whole.save(at);
  fit(whole);

  nn::Trainer resumed = make_trainer(same);
  fit(resumed, at);
  check_same(model.state(), same.state());

  nn::Trainer loaded = make_trainer(other);
  loaded.load(at);
  fit(loaded);
  check_same(model.state(), other.state());
}

BOOST_FIXTURE_TEST_CASE(an_interrupted_run_goes_on_as_if_nothing_had_been, Files) {
  const Dataset data = make_data();
  const auto run = [&](std::int64_t interrupted_at) {
    const nn::Sequential model(nn::Dense(12, 3));
    nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy);
    const nn::Callback interrupt{.on_batch_end = [=](nn::TrainingState& training) {
      if (training.step == interrupted_at) {
        training.interrupt("the hour is over");
      }
    }};
    const nn::Callback halve{.on_end = [&](nn::TrainingState&) {
      const Variable weight = model.parameters().front();
      weight.assign(weight * 0.5);
    }};
    const nn::History history = trainer.fit(data, {.epochs = 4,
                                                   .callbacks = {halve, interrupt, nn::callbacks::checkpoint(at)},
                                                   .progress = nn::Progress::quiet,
                                                   .resume = nn::find_checkpoint(at)});
    BOOST_TEST((history.stopped == (interrupted_at < 0 ? "" : "the hour is over")));
    return model.state();
  };
  const nn::State whole = run(-1);
  std::filesystem::remove(at);
  run(3);
  run(4);
  check_same(whole, run(-1));
}

BOOST_FIXTURE_TEST_CASE(variables_outside_of_the_model_are_kept, Files) {
  const Dataset data = make_data();
  const auto run = [&](std::int64_t epochs) {
    const nn::Sequential model(nn::Dense(12, 3));
    const Variable temperature(Tensor(1.0F), "temperature");
    const Variable calls(Tensor(std::int64_t{0}), "calls");
    nn::Variables trained = model.parameters();
    trained.push_back(temperature);
    const nn::Loss loss = [=](const Tensor& z, const Tensor& y) {
      calls.assign(calls + 1);
      return nn::cross_entropy(z / temperature, y);
    };
    nn::Trainer trainer(model, nn::Adam(trained, {.learning_rate = 0.1}), loss);
    trainer.fit(data, {.epochs = epochs,
                       .callbacks = {nn::callbacks::checkpoint(at)},
                       .progress = nn::Progress::quiet,
                       .resume = nn::find_checkpoint(at)});
    nn::State state = model.state();
    state.emplace("temperature", temperature.read().array());
    state.emplace("calls", calls.read().array());
    return state;
  };
  const nn::State whole = run(4);
  std::filesystem::remove(at);
  run(2);
  check_same(whole, run(4));
}

BOOST_FIXTURE_TEST_CASE(fewer_epochs_than_there_were_are_refused, Files) {
  Run killed = run();
  killed.killed_at = 30;
  killed.patience = 100;
  BOOST_CHECK_THROW(killed(), Killed);
  Run shorter = run();
  shorter.patience = 100;
  shorter.epochs = 1;
  shorter.resume = at;
  check_throws<ValueError>([&] { shorter(); }, {"there are to be 1 epochs", "of epoch 3"});
}

BOOST_AUTO_TEST_SUITE_END()
