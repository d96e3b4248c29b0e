#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/nn/ranked_training.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_trainer_ranks)

namespace nn_trainer_ranks {

using namespace xgrad;
using namespace testing::ranked;
using testing::run_ranks;
using testing::text_of;

}  // namespace nn_trainer_ranks

using namespace nn_trainer_ranks;

BOOST_AUTO_TEST_CASE(shards_give_the_same_bits_on_any_number_of_ranks) { check_any_number_of_ranks({}); }

BOOST_AUTO_TEST_CASE(shards_give_the_same_bits_with_clipping_and_several_batches_per_update) {
  check_any_number_of_ranks({.make_optimizer = make_sgd, .clipping = {.norm = 0.5}, .accumulate = 3});
}

BOOST_AUTO_TEST_CASE(shards_give_the_same_bits_with_limited_elements_and_early_stopping) {
  const auto callbacks = [](const World&, nn::Trainer&) -> std::vector<nn::Callback> {
    return {nn::callbacks::early_stopping({.patience = 0, .min_delta = 0.1}),
            nn::callbacks::schedule(nn::schedules::cosine(0.01, 20))};
  };
  check_any_number_of_ranks({.clipping = {.value = 0.01}, .epochs = 6, .callbacks = callbacks});
}

BOOST_AUTO_TEST_CASE(shards_are_batches_of_their_own) {
  const Trained eight = Run{}(nullptr);
  const Trained four = Run{.shards = 4}(nullptr);
  const Trained none = Run{.shards = 0}(nullptr);
  BOOST_TEST(largest_difference(eight.model, four.model) > 1e-4);
  BOOST_TEST(largest_difference(eight.model, none.model) > 1e-4);

  // Without anything that is of the whole batch, they differ by rounding alone.
  const Run plain{.make_optimizer = make_sgd, .random = false};
  Run whole = plain;
  whole.shards = 0;
  const Trained a = plain(nullptr), b = whole(nullptr);
  BOOST_TEST(largest_difference(a.model, b.model) < 1e-5);
  for (const char* const score : {"loss", "accuracy", "f1_macro", "zeros", "validation_loss", "validation_f1_macro"}) {
    BOOST_TEST(a.history[score].back() == b.history[score].back(), boost::test_tools::tolerance(1e-5));
  }
}

BOOST_AUTO_TEST_CASE(statistics_become_the_mean_over_samples_of_shards) {
  const nn::BatchNorm layer(2);
  const Tensor x = random::normal(random::Key(1), {24, 2}, 3, 2);
  const Dataset data(x.array(), zeros({24, 2}).array());
  nn::Trainer trainer(nn::Sequential(layer), nn::SGD(layer.parameters(), {.learning_rate = 0}),
                      [](const Tensor& p, const Tensor& t) { return nn::mse(p, t); },
                      {.batches = {.batch_size = 28, .shuffle = false}, .shards = 4});
  trainer.fit(data, {.epochs = 1, .progress = nn::Progress::quiet});
  Tensor mean = zeros({2}), variance = zeros({2});
  for (std::int64_t first = 0; first < 24; first += 7) {  // 7, 7, 7 and 3 samples
    const std::int64_t end = std::min<std::int64_t>(24, first + 7);
    const auto size = static_cast<double>(end - first);
    const Tensor part = cast(x[{range(first, end)}], DType::float32);
    const Tensor m = xgrad::mean(part, 0);
    mean = mean + size / 24 * (0.1 * m);
    variance = variance + size / 24 * (0.9 + 0.1 * sum(square(part - m), 0) / (size - 1));
  }
  BOOST_TEST(largest_difference({{"m", layer.running_mean().read().array()}}, {{"m", mean.array()}}) < 1e-6);
  BOOST_TEST(largest_difference({{"v", layer.running_variance().read().array()}}, {{"v", variance.array()}}) < 1e-6);
  BOOST_TEST(layer.batch_count().item() == 1);
}

BOOST_AUTO_TEST_CASE(without_shards_ranks_train_as_one_process_does) {
  for (const Make& make : {Make(make_sgd), Make(make_adam)}) {
    Run run{.shards = 0, .make_optimizer = make, .random = false};
    const Trained alone = run(nullptr);
    for (const std::int64_t ranks : {1, 2, 3, 5}) {
      for (const Trained& one : train_on(ranks, run)) {
        BOOST_TEST(largest_difference(alone.model, one.model) < 1e-4);
        BOOST_TEST(alone.losses == one.losses, boost::test_tools::tolerance(1e-4) << boost::test_tools::per_element());
        for (const char* const score : {"accuracy", "f1_macro", "zeros", "validation_loss", "validation_accuracy"}) {
          BOOST_TEST(one.history[score].back() == alone.history[score].back(), boost::test_tools::tolerance(1e-4));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(ranks_that_have_no_samples_take_part) {
  // Batches of 3 on 4 ranks, the last one of 1: ranks have one sample, or none.
  Run run{.shards = 0, .make_optimizer = make_sgd, .random = false, .epochs = 2, .batch_size = 3, .samples = 10};
  const Trained alone = run(nullptr);
  for (const Trained& one : train_on(4, run)) {
    BOOST_TEST(largest_difference(alone.model, one.model) < 1e-5);
    BOOST_TEST(one.history["zeros"].back() == alone.history["zeros"].back());
  }
  run.shards = 8;
  check_any_number_of_ranks(run);
}

BOOST_AUTO_TEST_CASE(batch_normalisation_may_be_over_all_ranks) {
  // Batches of 16, the last one of 3: on three ranks, the third one has none of it.
  const auto train = [](const World& world, bool synchronize) {
    nn::Sequential model(nn::Dense(12, 8), nn::BatchNorm(8), nn::Tanh(), nn::Dense(8, 3));
    model.initialize(random::Key(2));
    nn::Trainer trainer(model, nn::SGD(model.parameters(), {.learning_rate = 0.05, .momentum = 0.9}), nn::cross_entropy,
                        {.batches = {.batch_size = 16}, .world = world, .synchronize_batch_norm = synchronize});
    Trained result;
    result.history = trainer.fit(make_data(67), {.epochs = 3, .progress = nn::Progress::quiet});
    result.model = model.state();
    return result;
  };
  const Trained alone = train(nullptr, true);
  std::vector<Trained> results(3);
  for (const std::exception_ptr& thrown : run_ranks(
           3, [&](const World& world) { results[static_cast<std::size_t>(world->rank())] = train(world, true); })) {
    BOOST_TEST_REQUIRE(text_of(thrown) == "");
  }
  for (const Trained& one : results) {
    BOOST_TEST(largest_difference(alone.model, one.model) < 1e-4);
    BOOST_TEST(one.history["loss"] == alone.history["loss"], boost::test_tools::tolerance(1e-4)
                                                                 << boost::test_tools::per_element());
  }
  run_ranks(2, [&](const World& world) { results[static_cast<std::size_t>(world->rank())] = train(world, false); });
  BOOST_TEST(largest_difference(alone.model, results[0].model) > 1e-3);
}

BOOST_AUTO_TEST_CASE(weights_of_the_root_are_everybodys) {
  const Run run{.epochs = 1};
  const Trained expected = run(nullptr);
  std::vector<nn::State> states(2);
  const auto thrown = run_ranks(2, [&](const World& world) {
    const nn::Sequential model = make_model();
    if (!world->is_root()) {
      nn::Sequential(model).initialize(random::Key(77));
    }
    nn::Trainer trainer(model, nn::SGD(model.parameters(), {.learning_rate = 0}), nn::cross_entropy,
                        {.batches = {.batch_size = 32}, .world = world});
    trainer.fit(make_data(64), {.epochs = 1, .progress = nn::Progress::quiet});
    states[static_cast<std::size_t>(world->rank())] = model.state();
  });
  BOOST_TEST(text_of(thrown[1]) == "");
  check_same(states[0], states[1], "");
  const nn::Sequential drawn = make_model();
  BOOST_TEST((std::memcmp(states[1].at("0.weight").data(), drawn.state().at("0.weight").data(),
                          states[1].at("0.weight").bytes()) == 0));
}

BOOST_AUTO_TEST_CASE(a_run_of_four_ranks_goes_on_on_two) {
  const testing::TemporaryFolder folder;
  for (const std::int64_t every : {3, 4}) {  // in the middle of an epoch, and at its end
    const auto path = folder.folder / ("run" + std::to_string(every) + ".safetensors");
    Run run{.accumulate = 2};
    const Trained whole = run(nullptr);
    run.callbacks = [&](const World&, nn::Trainer&) -> std::vector<nn::Callback> {
      return {{.on_batch_end =
                   [=](nn::TrainingState& t) {
                     if (t.step == every + 1) {
                       t.interrupt("for now");
                     }
                   }},
              nn::callbacks::checkpoint(path, {.every_batches = every})};
    };
    train_on(4, run);
    run.callbacks = {};
    run.resume = path;
    for (const std::int64_t ranks : {2, 1}) {
      for (const Trained& one : train_on(ranks, run)) {
        check_same(whole.model, one.model, " resumed");
        check_same(whole.optimizer, one.optimizer, " resumed");
        BOOST_TEST(whole.history["f1_macro"] == one.history["f1_macro"]);
        BOOST_TEST(whole.history["validation_loss"] == one.history["validation_loss"]);
      }
    }
    check_same(whole.model, run(nullptr).model, " resumed alone");
  }
  testing::check_throws<FileError>([&] { Run{.resume = folder.folder / "none"}(nullptr); }, {"none"});
  const auto thrown = run_ranks(2, [&](const World& world) { Run{.resume = folder.folder / "none"}(world); });
  BOOST_TEST(contains(text_of(thrown[1]), "rank 0 cannot go on"), text_of(thrown[1]));
}

BOOST_AUTO_TEST_CASE(the_root_writes_logs_and_checkpoints) {
  const testing::TemporaryFolder folder;
  const auto callbacks = [&](const World&, nn::Trainer&) -> std::vector<nn::Callback> {
    return {nn::callbacks::csv_log(folder.folder / "log.csv"), nn::callbacks::json_log(folder.folder / "log.json"),
            nn::callbacks::checkpoint(folder.folder / "run.safetensors", {.every_seconds = 1e-9, .keep_last = 2})};
  };
  const Run run{.epochs = 2, .callbacks = callbacks};
  Run logged = run;
  logged.callbacks = [&](const World&, nn::Trainer&) -> std::vector<nn::Callback> {
    return {nn::callbacks::csv_log(folder.folder / "log.csv")};
  };
  logged(nullptr);
  const std::string log = testing::read_bytes(folder.folder / "log.csv");
  train_on(4, run);
  const std::string log_of_ranks = testing::read_bytes(folder.folder / "log.csv");
  BOOST_TEST(std::count(log_of_ranks.begin(), log_of_ranks.end(), '\n') == 3);
  BOOST_TEST(log_of_ranks.substr(0, 200) == log.substr(0, 200));  // names, and the first numbers
  std::ptrdiff_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.folder)) {
    files += entry.path().extension() == ".safetensors";
  }
  BOOST_TEST(files == 2);
  Run longer = run;
  longer.epochs = 3;
  longer.resume = folder.folder / "run.safetensors";
  train_on(2, longer);
  const std::string log_of_all = testing::read_bytes(folder.folder / "log.csv");
  BOOST_TEST(std::count(log_of_all.begin(), log_of_all.end(), '\n') == 4);
  BOOST_TEST(log_of_all.substr(0, log_of_ranks.size()) == log_of_ranks);
}

BOOST_AUTO_TEST_CASE(averages_of_weights_are_the_same_on_all_ranks) {
  const auto train = [](const World& world) {
    const nn::Sequential model = make_model();
    nn::ExponentialMovingAverage average(model.parameters(), {.decay = 0.9});
    nn::Trainer trainer(model, nn::Adam(model.parameters()), nn::cross_entropy,
                        {.batches = {.batch_size = 16}, .world = world, .shards = 4});
    trainer.fit(make_data(64),
                {.epochs = 2, .callbacks = {nn::callbacks::moving_average(average)}, .progress = nn::Progress::quiet});
    return nn::detail::state_of(average.named_variables());
  };
  const nn::State alone = train(nullptr);
  std::vector<nn::State> states(2);
  run_ranks(2, [&](const World& world) { states[static_cast<std::size_t>(world->rank())] = train(world); });
  check_same(alone, states[0], " on rank 0");
  check_same(alone, states[1], " on rank 1");
}

BOOST_AUTO_TEST_CASE(save_load_evaluate_and_predict_work_over_ranks) {
  const testing::TemporaryFolder folder;
  struct Found {
    nn::Scores scores;
    double predicted = 0, probed = 0;
  };
  const auto work = [&](const World& world, const std::filesystem::path& path) -> Found {
    const nn::TrainerOptions options{
        .metrics = {nn::Accuracy(), nn::F1(3)}, .batches = {.batch_size = 16}, .world = world, .shards = 4};
    const auto make = [&](const nn::Sequential& model) {
      nn::TrainerOptions own = options;
      own.metrics = {nn::Accuracy(), nn::F1(3)};
      return nn::Trainer(model, nn::Adam(model.parameters()), nn::cross_entropy, own);
    };
    nn::Trainer trainer = make(make_model());
    trainer.fit(make_data(64), {.epochs = 2, .progress = nn::Progress::quiet});
    trainer.save(path);
    nn::Trainer loaded = make(make_model());
    loaded.load(path);
    const nn::LearningRates rates = loaded.find_learning_rate(make_data(64), {.steps = 20, .print = false});
    return {loaded.evaluate(make_data(70, 4)), sum(loaded.predict(make_data(9, 6).features())).item(),
            rates.losses.back()};
  };
  const Found alone = work(nullptr, folder.folder / "alone.safetensors");
  for (const std::int64_t ranks : {2, 4}) {
    std::vector<Found> found(static_cast<std::size_t>(ranks));
    const auto path = folder.folder / ("ranks" + std::to_string(ranks) + ".safetensors");
    for (const std::exception_ptr& thrown : run_ranks(
             ranks, [&](const World& world) { found[static_cast<std::size_t>(world->rank())] = work(world, path); })) {
      BOOST_TEST(text_of(thrown) == "");
    }
    BOOST_TEST((testing::read_bytes(path) == testing::read_bytes(folder.folder / "alone.safetensors")));
    for (const Found& one : found) {
      for (const auto& [name, value] : alone.scores) {
        BOOST_TEST(one.scores[name] == value);
      }
      BOOST_TEST(one.predicted == alone.predicted);
      BOOST_TEST(one.probed == alone.probed);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
