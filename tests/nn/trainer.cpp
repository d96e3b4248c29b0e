#include "nn/trainer.hpp"

#include <chrono>
#include <cmath>
#include <csignal>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_trainer)

namespace {

using namespace xgrad;
using datasets::Dataset;
using testing::check_throws;
using testing::elements;

constexpr std::int64_t samples = 50;

/// Three classes that a linear model can tell apart, mostly.
Dataset make_data(std::uint64_t seed = 3) {
  const Tensor x = random::normal(random::Key(seed), {samples, 6});
  return {x.array(), argmax(x[{all(), range(0, 3)}], -1).array()};
}

nn::Sequential make_model(double dropout = 0) {
  nn::Sequential model(nn::Dense(6, 16), nn::BatchNorm(16), nn::ReLU(), nn::Dropout(dropout), nn::Dense(16, 3));
  model.initialize(random::Key(1));
  return model;
}

std::vector<double> contents(const nn::Variables& variables) {
  std::vector<double> all;
  for (const Variable& variable : variables) {
    const std::vector<double> each = elements(variable);
    all.insert(all.end(), each.begin(), each.end());
  }
  return all;
}

nn::FitOptions quiet(std::int64_t epochs, std::vector<nn::Callback> callbacks = {}) {
  return {.epochs = epochs, .callbacks = std::move(callbacks), .progress = nn::Progress::quiet};
}

const nn::TrainerOptions in_batches{.batches = {.batch_size = 16, .seed = 9}};

volatile std::sig_atomic_t signals_of_the_user = 0;
void count_signal(int) { signals_of_the_user = signals_of_the_user + 1; }

}  // namespace

BOOST_AUTO_TEST_CASE(fit_does_what_a_loop_does) {
  const nn::Sequential by_hand = make_model();
  nn::Adam adam(by_hand.parameters(), {.learning_rate = 0.01});
  const datasets::Batches batches(make_data(), {.batch_size = 16, .seed = 9});
  std::vector<double> losses, accuracies;
  for (int epoch = 0; epoch < 4; ++epoch) {
    double loss_sum = 0, right = 0;
    for (const auto& [x, y] : batches.epoch(epoch)) {
      const Tensor z = by_hand(x, nn::Training(random::Key(0)));
      const Tensor loss = nn::cross_entropy(z, y);
      const auto size = static_cast<double>(y.size());
      loss_sum += loss.item() * size;
      right += nn::accuracy(z, y) * size;
      adam.minimize(loss);
    }
    losses.push_back(loss_sum / samples);
    accuracies.push_back(right / samples);
  }

  const nn::Sequential model = make_model();
  nn::TrainerOptions options = in_batches;
  options.metrics = {nn::Accuracy()};
  nn::Trainer trainer(model, nn::Adam(model.parameters(), {.learning_rate = 0.01}), nn::cross_entropy, options);
  const nn::History first = trainer.fit(make_data(), quiet(3));
  const nn::History second = trainer.fit(make_data(), quiet(1));  // goes on
  std::vector<double> all = first["loss"];
  all.push_back(second["loss"].front());
  const auto close = boost::test_tools::tolerance(1e-4);
  BOOST_TEST(all == losses, close << boost::test_tools::per_element());
  BOOST_TEST(second["accuracy"].front() == accuracies[3], close);
  const std::vector<double> expected = contents(by_hand.variables());  // moving averages, too
  const std::vector<double> actual = contents(model.variables());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_TEST_REQUIRE(std::abs(actual[i] - expected[i]) < 1e-3);
  }
  BOOST_TEST(first.stopped.empty());
  BOOST_TEST(first["learning_rate"].back() == 0.01);
  BOOST_TEST(first["seconds"].back() > 0);
}

BOOST_AUTO_TEST_CASE(dropout_follows_the_seed) {
  const auto train = [](std::uint64_t seed, int calls) {
    const nn::Sequential model = make_model(0.5);
    nn::TrainerOptions options = in_batches;
    options.batches.seed = seed;
    options.batches.shuffle = false;
    nn::Trainer trainer(model, nn::SGD(model.parameters(), {.learning_rate = 0.1}), nn::cross_entropy, options);
    for (int call = 0; call < calls; ++call) {
      trainer.fit(make_data(), quiet(2 / calls));
    }
    return contents(model.parameters());
  };
  const std::vector<double> once = train(1, 1);
  BOOST_TEST((once == train(1, 1)));
  BOOST_TEST((once == train(1, 2)));
  BOOST_TEST((once != train(2, 1)));

  const nn::Sequential model = make_model(0.5);
  nn::Trainer still(model, nn::SGD(model.parameters(), {.learning_rate = 0}), nn::cross_entropy,
                    {.batches = {.batch_size = samples, .shuffle = false}});
  const std::vector<double> losses = still.fit(make_data(), quiet(2))["loss"];
  BOOST_TEST(losses[0] != losses[1]);  // each step drops other elements
}

BOOST_AUTO_TEST_CASE(evaluation_and_prediction_are_inference) {
  const nn::Sequential model = make_model(0.5);
  nn::TrainerOptions options = in_batches;
  options.metrics = {nn::Accuracy()};
  options.batches.drop_last = true;
  options.batches.augment = {datasets::mixup(0.4, 3)};
  nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy, options);
  const Dataset test = make_data(4);
  const nn::History history =
      trainer.fit(make_data(), {.epochs = 2, .validation = test, .callbacks = {}, .progress = nn::Progress::quiet});
  const Tensor z = model(test.features());
  const double loss = nn::cross_entropy(z, test.targets()).item();
  const nn::Scores scores = trainer.evaluate(test);
  BOOST_TEST(scores["loss"] == loss, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(scores["accuracy"] == nn::accuracy(z, test.targets()), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(history["validation_loss"].back() == scores["loss"]);
  BOOST_TEST(history["validation_accuracy"].back() == scores["accuracy"]);
  testing::check_elements(trainer.predict(test.features()), {samples, 3}, elements(z), 1e-5);
  check_throws<ValueError>([&] { scores["f1"]; }, {"[scores] ", "'f1'", "loss, accuracy"});
}

BOOST_AUTO_TEST_CASE(data_come_from_xtensor_and_are_split) {
  xt::xarray<double> x = {1, 2, 3, 4, 5};
  x.reshape({5, 1});
  const xt::xarray<double> y = 3 * x;
  const nn::Dense model(1, 1, {.dtype = DType::float64});
  nn::Trainer trainer(model, nn::SGD(model.parameters(), {.learning_rate = 0.01}), nn::mse,
                      {.batches = {.batch_size = 2, .dtype = DType::float64}});
  std::int64_t batches = 0;
  const nn::Callback count{.on_batch_end = [&](nn::TrainingState&) { ++batches; }};
  const nn::History history = trainer.fit(
      {x, y}, {.epochs = 1, .validation_fraction = 0.4, .callbacks = {count}, .progress = nn::Progress::quiet});
  BOOST_TEST(batches == 2);  // of 2 and 1 samples; 2 are for validation
  BOOST_TEST(history.epochs.front().contains("validation_loss"));
  trainer.fit({x, y}, quiet(500));
  testing::check_elements(trainer.predict(2 * x), {5, 1}, {6, 12, 18, 24, 30}, 1e-3);

  std::set<double> losses;  // of a model that learns nothing: they tell which samples validate
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    nn::Trainer still(model, nn::SGD(model.parameters(), {.learning_rate = 0}), nn::mse,
                      {.batches = {.seed = seed, .dtype = DType::float64}});
    const nn::History seen =
        still.fit({x, x * x}, {.epochs = 1, .validation_fraction = 0.4, .progress = nn::Progress::quiet});
    losses.insert(seen["validation_loss"].front());
  }
  BOOST_TEST(losses.size() > 1u);
}

BOOST_AUTO_TEST_CASE(gradients_are_clipped) {
  const Variable w(Tensor{3.0, 4.0}, "w");
  nn::Trainer trainer([=](const Tensor& x) { return x * w; }, nn::SGD({w}, {.learning_rate = 1}),
                      [](const Tensor& z, const Tensor&) { return 50 * sum(square(z)); },
                      {.clipping = {.norm = 0.5}, .batches = {.dtype = DType::float64}});
  trainer.fit({ones({1, 2}, DType::float64).array(), zeros({1}).array()}, quiet(1));
  testing::check_elements(w, {2}, {2.7, 3.6}, 1e-5);
}

BOOST_AUTO_TEST_CASE(accumulated_batches_are_one_larger_batch) {
  const auto train = [](std::int64_t batch_size, std::int64_t accumulate, std::int64_t first, std::int64_t stop_at) {
    nn::Sequential model(nn::Dense(6, 8), nn::Tanh(), nn::Dense(8, 3));
    model.initialize(random::Key(1));
    nn::Trainer trainer(model, nn::Adam(model.parameters(), {.learning_rate = 0.01}), nn::cross_entropy,
                        {.clipping = {.norm = 0.5},
                         .accumulate = accumulate,
                         .batches = {.batch_size = batch_size, .shuffle = false, .drop_last = 48 % batch_size == 0}});
    const nn::Callback stop{.on_batch_end = [&](nn::TrainingState& training) {
      if (training.step == stop_at) {
        training.stop("midway");
      }
    }};
    trainer.fit(make_data(), quiet(first, {stop}));
    trainer.fit(make_data(), quiet(2));
    return contents(model.parameters());
  };
  // 48 samples: two updates per epoch. What is left when training stops after 4 batches of 8 is forgotten.
  for (const auto& [actual, expected] :
       {std::pair(train(8, 3, 1, -1), train(24, 1, 1, -1)), std::pair(train(8, 3, 1, 4), train(24, 1, 1, 1)),
        std::pair(train(16, 5, 1, -1), train(48, 1, 1, -1)),
        std::pair(train(20, 3, 1, -1), train(50, 1, 1, -1))}) {  // all 50 samples, 10 of them in the last batch
    for (std::size_t i = 0; i < expected.size(); ++i) {
      BOOST_TEST_REQUIRE(std::abs(actual[i] - expected[i]) < 1e-4);
    }
  }
  const nn::Dense model(6, 3);
  check_throws<ValueError>(
      [&] { nn::Trainer(model, nn::SGD(model.parameters()), nn::cross_entropy, {.accumulate = 0}); },
      {"[trainer] ", "0 batches"});
}

BOOST_AUTO_TEST_CASE(a_loss_that_is_not_finite_changes_nothing) {
  for (const double third : {1.0, 0.0}) {  // of which the logarithms are NaN, with a weight of -1, and -infinity
    const Variable w(Tensor{1.0, -1.0}, "w");
    const std::string line = std::to_string(__LINE__ + 1);
    const auto loss = [](const Tensor& z, const Tensor&) { return mean(log(z)); };
    const nn::Adam adam({w}, {.learning_rate = 0.01});
    nn::Trainer trainer([=](const Tensor& x) { return nn::Dropout(0)(x * w, nn::Mode()); }, adam, loss,
                        {.batches = {.batch_size = 1, .shuffle = false, .dtype = DType::float64}});
    const xt::xarray<double> x{{1, -2}, {2, -1}, {3, third}, {1, -1}};
    std::vector<double> before;
    const auto all_variables = [&] {
      nn::Variables all = adam.variables();
      all.push_back(w);
      return contents(all);
    };
    const nn::Callback note{.on_batch_start = [&](nn::TrainingState&) { before = all_variables(); }};
    const std::string fit_line = std::to_string(__LINE__ + 1);
    const auto fit = [&] { trainer.fit({x, xt::xarray<double>{0, 0, 0, 0}}, quiet(2, {note})); };
    check_throws<ValueError>(
        fit, {"[fit] ", "epoch 1, batch 3 of 4", "[log] ", "trainer.cpp:" + line, "trainer.cpp:" + fit_line});
    BOOST_TEST((all_variables() == before));
    BOOST_TEST(adam.state().front().item() == 2);  // steps
  }
}

BOOST_AUTO_TEST_CASE(nor_running_means_and_dropout) {
  const auto train = [](bool fail_first) {
    const nn::Sequential model = make_model(0.5);
    const nn::Adam adam(model.parameters());
    nn::Trainer trainer(model, adam, nn::cross_entropy, {.batches = {.batch_size = 25, .shuffle = false}});
    trainer.fit(make_data(), quiet(1));
    if (fail_first) {
      const std::vector<double> before = contents(model.variables());
      const Tensor wrong = concatenate({make_data().features(), full({25, 6}, std::nan(""))});
      const Dataset data(wrong.array(), zeros({75}, DType::int64).array());
      std::vector<double> after_two;
      const nn::Callback note{.on_batch_end = [&](nn::TrainingState&) { after_two = contents(model.variables()); }};
      check_throws<ValueError>([&] { trainer.fit(data, quiet(1, {note})); }, {"epoch 1, batch 3 of 3", "not finite"});
      BOOST_TEST((contents(model.variables()) == after_two));
      BOOST_TEST((before != after_two));
    } else {
      const Dataset data(make_data().features(), zeros({50}, DType::int64).array());
      trainer.fit(data, quiet(1));
    }
    trainer.fit(make_data(), quiet(1));  // by the same random numbers in both cases
    return contents(model.variables());
  };
  BOOST_TEST((train(true) == train(false)));
}

BOOST_AUTO_TEST_CASE(ctrl_c_ends_training) {
  const auto previous = std::signal(SIGINT, count_signal);
  const nn::Sequential model = make_model();
  nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy, in_batches);
  std::vector<double> weights;
  bool ended = false;
  const nn::Callback press{.on_batch_end =
                               [&](nn::TrainingState& training) {
                                 weights = contents(model.variables());
                                 if (training.epoch == 2 && training.batch == 3) {
                                   std::raise(SIGINT);
                                 }
                               },
                           .on_end = [&](nn::TrainingState& training) { ended = training.interrupted; }};
  const nn::History history = trainer.fit(make_data(), quiet(5, {press}));
  BOOST_TEST(history.epochs.size() == 1u);
  BOOST_TEST(history.stopped == "interrupted in epoch 2, batch 3");
  BOOST_TEST(ended);
  BOOST_TEST((contents(model.variables()) == weights));
  BOOST_TEST(signals_of_the_user == 0);
  std::raise(SIGINT);  // within moments: the same Ctrl-C
  BOOST_TEST(signals_of_the_user == 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(550));
  std::raise(SIGINT);  // the user's handler is back
  BOOST_TEST(signals_of_the_user == 1);
  BOOST_TEST(trainer.fit(make_data(), quiet(1)).stopped.empty());  // and the next call begins anew
  std::signal(SIGINT, SIG_IGN);
  BOOST_TEST(trainer.fit(make_data(), quiet(2, {press})).stopped.empty());  // a program that ignores it goes on to
  std::signal(SIGINT, previous);
}

BOOST_AUTO_TEST_CASE(the_learning_rate_test_restores_everything) {
  const auto train = [](bool test_first) {
    const nn::Sequential model = make_model(0.3);
    nn::Adam adam(model.parameters(), {.learning_rate = 0.01});
    nn::Trainer trainer(model, adam, nn::cross_entropy, in_batches);
    trainer.fit(make_data(), quiet(1));
    if (test_first) {
      const nn::LearningRates seen = trainer.find_learning_rate(make_data(), {.print = false});
      BOOST_TEST(seen.suggestion > 1e-5);
      BOOST_TEST(seen.suggestion < 1);
      BOOST_TEST(seen.rates.front() == 1e-7, boost::test_tools::tolerance(1e-12));
      BOOST_TEST(seen.rates.size() == seen.losses.size());
      BOOST_TEST(seen.losses.back() > seen.losses.front());
    }
    trainer.fit(make_data(), quiet(1));
    return contents(model.variables());
  };
  BOOST_TEST((train(true) == train(false)));
}

// w ← w - a w, of the loss w²/2: the fall per log a is steepest just below a = 1, where the test is over at once.
BOOST_AUTO_TEST_CASE(the_suggestion_is_where_the_loss_falls) {
  const Variable w(Tensor{1.0}, "w");
  nn::Trainer trainer([=](const Tensor& x) { return x * w; }, nn::SGD({w}),
                      [](const Tensor& z, const Tensor&) { return sum(square(z)) / 2.0; },
                      {.batches = {.dtype = DType::float64}});
  const Dataset one(ones({1, 1}, DType::float64).array(), zeros({1}).array());
  const nn::LearningRates seen =
      trainer.find_learning_rate(one, {.min = 1e-4, .max = 100, .steps = 121, .print = false});
  BOOST_TEST(seen.suggestion > 0.02);
  BOOST_TEST(seen.suggestion < 1);
  BOOST_TEST(seen.rates.size() < 121u);  // above a = 2 the loss grows, to four times its least and more
  BOOST_TEST(w.value<double>()(0) == 1);
  check_throws<ValueError>([&] { trainer.find_learning_rate(one, {.min = 1, .max = 0.1}); }, {"min < max"});
  check_throws<ValueError>([&] { trainer.find_learning_rate(one, {.steps = 19}); }, {"20"});
  check_throws<ValueError>([&] { trainer.find_learning_rate(Dataset()); }, {"[find_learning_rate] ", "no samples"});
}

BOOST_AUTO_TEST_CASE(wrong_calls_are_refused) {
  const nn::Sequential model = make_model();
  const nn::Adam adam(model.parameters());
  const auto trainer = [&](nn::Loss loss, nn::TrainerOptions options) {
    return nn::Trainer(model, adam, loss, options);
  };
  const Dataset data = make_data();
  const std::string line = "trainer.cpp:" + std::to_string(__LINE__ + 1);
  check_throws<ValueError>([&] { trainer(nn::cross_entropy, {}).fit(Dataset(), quiet(1)); }, {"no samples", line});
  check_throws<ValueError>([&] { trainer(nn::cross_entropy, {}).evaluate(Dataset()); }, {"[evaluate] ", "no samples"});
  check_throws<ValueError>(
      [&] {
        trainer(nn::cross_entropy, {}).predict(zeros({0, 6}));
      },
      {"[predict] ", "no samples"});
  check_throws<ValueError>([&] { trainer(nn::cross_entropy, {}).fit(data, quiet(0)); }, {"[fit] ", "0 epochs"});
  for (const double fraction : {-0.1, 1.0, std::nan("")}) {
    check_throws<ValueError>([&] { trainer(nn::cross_entropy, {}).fit(data, {.validation_fraction = fraction}); },
                             {"[fit] ", "[0, 1)"});
  }
  check_throws<ValueError>([&] { trainer(nn::cross_entropy, {}).fit(data, {.validation_fraction = 0.001}); },
                           {"[fit] ", "50 of 50"});
  check_throws<ValueError>(
      [&] { trainer(nn::cross_entropy, {}).fit(data, {.validation = data, .validation_fraction = 0.1}); }, {"one of"});
  check_throws<ValueError>([&] { trainer(nn::cross_entropy, {.batches = {.batch_size = 0}}).fit(data, quiet(1)); },
                           {"batch size is 0", "trainer.cpp:"});
  check_throws<ValueError>(
      [&] { trainer(nn::cross_entropy, {.batches = {.batch_size = 64, .drop_last = true}}).fit(data, quiet(1)); },
      {"50 samples", "64"});
  check_throws<ShapeError>([&] { trainer(nn::mse, {}).fit(data, quiet(1)); },
                           {"(32, 3)", "(32,)", "in epoch 1, batch 1 of 2", "trainer.cpp:"});
  const auto squares = [](const Tensor& z, const Tensor&) { return square(z); };
  check_throws<ShapeError>([&] { trainer(squares, {}).fit(data, quiet(1)); }, {"[loss] ", "(32, 3)", "one floating"});
  check_throws<ShapeError>(
      [&] { trainer(nn::cross_entropy, {.metrics = {nn::MeanSquaredError()}}).fit(data, quiet(1)); },
      {"in metric 'mean_squared_error'", "(32, 3)", "trainer.cpp:"});
  check_throws<ValueError>(
      [&] {
        trainer(nn::cross_entropy, {.metrics = {nn::Accuracy(), nn::Accuracy()}});
      },
      {"[trainer] ", "'accuracy'"});
  const auto equal = [](const Tensor& z, const Tensor& y) { return z == y; };
  for (const char* name : {"loss", "learning_rate", "seconds"}) {
    check_throws<ValueError>([&] { trainer(nn::cross_entropy, {.metrics = {nn::Mean(name, equal)}}); },
                             {"[trainer] ", name});
  }
  check_throws<ValueError>([&] { nn::Trainer(model, std::shared_ptr<nn::Optimizer>(), nn::cross_entropy); }, {"null"});
}

BOOST_AUTO_TEST_SUITE_END()
