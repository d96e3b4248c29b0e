#include "nn/callbacks.hpp"

#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "autograd/autograd.hpp"
#include "nn/nn.hpp"
#include "nn/progress.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_callbacks)

namespace {

using namespace xgrad;
using testing::check_throws;
using testing::elements;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

/// A model of one weight, which is the number of the epoch after each epoch, and a validation loss that is given.
struct Course : testing::TemporaryFolder {
  nn::Dense model{1, 1, {.bias = false}};
  nn::SGD sgd{model.parameters(), {.learning_rate = 0.5}};
  datasets::Dataset data{ones({6, 1}).array(), ones({6, 1}).array()};
  std::vector<double> rates;  // of each step

  nn::History run(const std::vector<double>& losses, const std::vector<nn::Callback>& callbacks,
                  std::int64_t epochs = 0) {
    nn::Trainer trainer(model, sgd, nn::mse, {.batches = {.batch_size = 2}});
    const nn::Callback play{.on_batch_end = [&](nn::TrainingState&) { rates.push_back(sgd.learning_rate().item()); },
                            .on_epoch_end =
                                [&](nn::TrainingState& training) {
                                  model.weight().assign(full({1, 1}, static_cast<double>(training.epoch)));
                                  const auto i = static_cast<std::size_t>(training.epoch - 1);
                                  training.scores.set("validation_loss", i < losses.size() ? losses[i] : not_a_number);
                                }};
    std::vector<nn::Callback> all = {play};
    all.insert(all.end(), callbacks.begin(), callbacks.end());
    return trainer.fit(data, {.epochs = epochs > 0 ? epochs : static_cast<std::int64_t>(losses.size()),
                              .validation = data,
                              .callbacks = all,
                              .progress = nn::Progress::quiet});
  }

  double weight() const { return model.weight().read().item(); }
};

BOOST_FIXTURE_TEST_CASE(the_history_has_what_callbacks_score, Course) {
  BOOST_TEST(run({3, 1, 2}, {})["validation_loss"] == (std::vector<double>{3, 1, 2}), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(callbacks_that_fail_when_told_of_an_error_hide_none, Course) {
  std::string told;
  const nn::Callback fails{
      .on_epoch_end = [](nn::TrainingState&) { throw std::runtime_error("the real cause"); },
      .on_error = [](nn::TrainingState&, const std::exception&) { throw std::runtime_error("no"); }};
  const nn::Callback hears{.on_error = [&](nn::TrainingState&, const std::exception& error) { told = error.what(); }};
  check_throws<std::runtime_error>([&] { run({1, 2}, {fails, hears}); }, {"the real cause"});
  BOOST_TEST(told == "the real cause");
}

BOOST_FIXTURE_TEST_CASE(early_stopping_restores_the_best_weights, Course) {
  const nn::History history = run({3, 1, 2, 1, not_a_number, 0}, {nn::callbacks::early_stopping({.patience = 2})});
  BOOST_TEST(history.epochs.size() == 5u);
  BOOST_TEST(history.stopped == "validation_loss was best in epoch 2");
  BOOST_TEST(weight() == 2);
  run({3, 1, 2}, {nn::callbacks::early_stopping({.patience = 0, .restore_best = false})});
  BOOST_TEST(weight() == 3);
  run({3, 1, 2}, {nn::callbacks::early_stopping({.patience = 9})});  // not stopped early: the best weights all the same
  BOOST_TEST(weight() == 2);
  run({3, 1, 2}, {nn::callbacks::early_stopping({.maximize = true, .patience = 9})});
  BOOST_TEST(weight() == 1);
  run({3, 2.9, 2.8}, {nn::callbacks::early_stopping({.patience = 9, .min_delta = 0.15})});
  BOOST_TEST(weight() == 3);
  const nn::Callback both = nn::callbacks::early_stopping({.patience = 9});  // begins anew with each fit
  run({1, 2}, {both});
  run({3, 2}, {both});
  BOOST_TEST(weight() == 2);
  check_throws<ValueError>(
      [&] { run({1}, {nn::callbacks::early_stopping({.monitor = "f1"})}); },
      {"[early_stopping] training has no score called 'f1'; watch another by .monitor", "loss", "callbacks.cpp:"});
  check_throws<ValueError>([] { nn::callbacks::early_stopping({.patience = -1}); }, {"[early_stopping] ", "-1"});
}

BOOST_FIXTURE_TEST_CASE(early_stopping_restores_nothing_when_interrupted, Course) {
  double last = 0;
  const nn::Callback press{.on_batch_end = [&](nn::TrainingState& training) {
    if (training.epoch == 3) {
      last = weight();
      std::raise(SIGINT);
    }
  }};
  const auto previous = std::signal(SIGINT, [](int) {});  // also where the program is to ignore it
  run({3, 1, 2}, {nn::callbacks::early_stopping({.patience = 9}), press});
  std::signal(SIGINT, previous);
  BOOST_TEST(weight() == last);
  BOOST_TEST(last != 2);
}

BOOST_FIXTURE_TEST_CASE(the_checkpoint_of_the_best_epoch_is_kept, Course) {
  const std::filesystem::path at = folder / "runs" / "run.safetensors";
  std::vector<double> written;
  const auto weight_in = [](const std::filesystem::path& path) {
    return Tensor(nn::read_saved(path).state("model").at("weight")).item();
  };
  const nn::Callback look{.on_epoch_end = [&](nn::TrainingState&) {
    written.push_back(weight_in(folder / "runs" / "run-best.safetensors"));
  }};
  run({3, 1, 2, not_a_number, 0.5}, {nn::callbacks::checkpoint(at, {.keep_best = true}), look});
  BOOST_TEST((written == std::vector<double>{1, 2, 2, 2, 5}));
  BOOST_TEST(weight_in(at) == 5);
  model.weight().assign(zeros({1, 1}));
  model.load_state(nn::read_saved(folder / "runs" / "run-best.safetensors").state("model"));
  BOOST_TEST(weight() == 5);
  const nn::Callback of_no_score = nn::callbacks::checkpoint(at, {.keep_best = true, .monitor = "f1"});
  check_throws<ValueError>([&] { run({1}, {of_no_score}); }, {"'f1'"});
  check_throws<ValueError>([&] { nn::callbacks::checkpoint(at, {.keep_last = -1}); },
                           {"keep_last -1", "callbacks.cpp"});
}

BOOST_FIXTURE_TEST_CASE(schedules_run_per_step_and_per_epoch, Course) {
  const nn::Schedule halves = [](std::int64_t step) { return 1 / std::pow(2, step); };
  run({1, 1}, {nn::callbacks::schedule(halves)});
  BOOST_TEST((rates == std::vector<double>{1, 1 / 2., 1 / 4., 1 / 8., 1 / 16., 1 / 32.}));
  rates.clear();
  run({1, 1}, {nn::callbacks::schedule(halves, nn::callbacks::Per::epoch)});
  BOOST_TEST((rates == std::vector<double>{1, 1, 1, 1 / 2., 1 / 2., 1 / 2.}));
}

BOOST_FIXTURE_TEST_CASE(the_rate_falls_on_a_plateau, Course) {
  const auto plateau = nn::callbacks::reduce_on_plateau({.factor = 0.5, .patience = 0});
  const nn::History history = run({3, 2, 2, 1}, {plateau});
  BOOST_TEST((history["learning_rate"] == std::vector<double>{0.5, 0.5, 0.5, 0.25}));
  check_throws<ValueError>([] { nn::callbacks::reduce_on_plateau({.factor = 2}); }, {"callbacks.cpp:"});
}

BOOST_FIXTURE_TEST_CASE(callbacks_are_called_in_order, Course) {
  std::string calls;
  const auto note = [&](char what) { return [&calls, what](nn::TrainingState&) { calls += what; }; };
  const nn::Callback all{note('('), note('<'), note('b'), note('.'), note('>'), note(')')};
  const nn::Callback stop{.on_batch_end = [](nn::TrainingState& training) {
    if (training.step == 5) {
      training.stop("enough");
    }
  }};
  const nn::History history = run({}, {all, stop}, 4);
  BOOST_TEST(calls == "(<b.b.b.><b.b.)");
  BOOST_TEST(history.stopped == "enough");
  BOOST_TEST(history.epochs.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(logs_have_a_line_per_epoch, Course) {
  const std::filesystem::path csv = folder / "log.csv", json = folder / "log.jsonl";
  const nn::History history = run({0.25, not_a_number}, {nn::callbacks::csv_log(csv), nn::callbacks::json_log(json)});
  std::istringstream lines(testing::read_bytes(csv));
  std::string line;
  std::getline(lines, line);
  BOOST_TEST(line == "epoch,loss,validation_loss,learning_rate,seconds");
  std::getline(lines, line);
  BOOST_TEST(line.substr(0, 2) == "1,");
  BOOST_TEST(line.find(",0.25,0.5,") != std::string::npos);
  std::getline(lines, line);
  BOOST_TEST(line.find(",nan,0.5,") != std::string::npos);
  BOOST_TEST(!std::getline(lines, line));

  std::istringstream objects(testing::read_bytes(json));
  std::getline(objects, line);
  const auto first = nlohmann::json::parse(line);
  BOOST_TEST(first["epoch"] == 1);
  BOOST_TEST(first["loss"].get<double>() == history["loss"].front());
  BOOST_TEST(first["validation_loss"] == 0.25);
  std::getline(objects, line);
  BOOST_TEST(nlohmann::json::parse(line)["validation_loss"].is_null());
  check_throws<FileError>([&] { run({1}, {nn::callbacks::csv_log(folder / "no" / "log")}); }, {"[csv_log] ", "log"});
  check_throws<FileError>([&] { run({1}, {nn::callbacks::json_log(folder)}); }, {"[json_log] "});
}

BOOST_FIXTURE_TEST_CASE(names_in_logs_are_quoted, Course) {
  const std::filesystem::path csv = folder / "log.csv", json = folder / "log.jsonl";
  const nn::Callback name{.on_start = [](nn::TrainingState& training) { training.scores.set("a \"b\", c", 7); }};
  run({0.25}, {name, nn::callbacks::csv_log(csv)});
  const std::string text = testing::read_bytes(csv);
  BOOST_TEST(text.find("seconds,\"a \"\"b\"\", c\"\n1,") != std::string::npos);
  BOOST_TEST(text.ends_with(",7\n"));

  const nn::Callback odd{.on_start = [](nn::TrainingState& training) { training.scores.set("\\ \t \"é\"", 1e300); }};
  run({0.25}, {odd, nn::callbacks::json_log(json)});
  BOOST_TEST(nlohmann::json::parse(testing::read_bytes(json))["\\ \t \"é\""].get<double>() == 1e300);
}

BOOST_FIXTURE_TEST_CASE(progress_is_a_line_or_a_bar, Course) {
  std::string shown;
  const nn::Write write = [&](const std::string& text) { shown += text; };
  const nn::Module module = model;
  nn::TrainingState training{.model = module, .optimizer = sgd, .epochs = 12, .batches = 4, .epoch = 3, .batch = 2};
  training.scores.set("loss", 0.41234);
  training.scores.set("validation_loss", not_a_number);
  training.scores.set("learning_rate", 0.001);
  training.scores.set("seconds", 2.06);

  nn::progress_lines(write).on_epoch_end(training);
  BOOST_TEST(shown == "epoch  3/12  loss 0.4123  learning_rate 0.001  2.1 s\n");
  shown.clear();

  const nn::Callback bar = nn::progress_bar(write, [] { return std::size_t{1000}; });
  bar.on_epoch_start(training);
  bar.on_batch_end(training);
  BOOST_TEST(shown.find("\r\033[Kepoch  3/12 [============>           ] 2/4  0:01 left  loss 0.4123") == 0);
  const std::size_t size = shown.size();
  bar.on_batch_end(training);
  BOOST_TEST(shown.size() == size);  // too soon
  bar.on_epoch_end(training);
  BOOST_TEST(shown.back() == '\n');
  shown.clear();
  training.stop("enough");
  nn::progress_bar(write, [] { return std::size_t{10}; }).on_batch_end(training);
  BOOST_TEST(shown == "\r\033[Kepoch  3/1");
  shown.clear();
  bar.on_end(training);
  BOOST_TEST(shown == "\r\033[Kstopped: enough\n");
}

BOOST_FIXTURE_TEST_CASE(lines_of_epochs_fit_the_terminal, Course) {
  const nn::Module module = model;
  nn::TrainingState training{.model = module, .optimizer = sgd, .epochs = 20, .batches = 4, .epoch = 3, .batch = 4};
  for (const auto& [name, value] :
       {std::pair("loss", 0.41234), std::pair("accuracy", 0.85), std::pair("f1", 0.84),
        std::pair("validation_loss", 0.5), std::pair("validation_accuracy", 0.8), std::pair("validation_f1", 0.79),
        std::pair("learning_rate", 0.001), std::pair("seconds", 12.06)}) {
    training.scores.set(name, value);
  }
  const auto line = [&](std::size_t columns) {
    std::string shown;
    nn::progress_bar([&](const std::string& text) { shown += text; }, [=] { return columns; }).on_epoch_end(training);
    BOOST_TEST(shown.starts_with("\r\033[K"));
    BOOST_TEST(shown.ends_with("\n"));
    return shown.substr(4, shown.size() - 5);
  };
  BOOST_TEST(
      line(200) ==
      "epoch  3/20  loss 0.4123  accuracy 0.8500  f1 0.8400  validation_loss 0.5000  validation_accuracy 0.8000  "
      "validation_f1 0.7900  learning_rate 0.001  12.1 s");
  BOOST_TEST(line(79) == "epoch  3/20  loss 0.4123  val_loss 0.5000  val_acc 0.8000  val_f1 0.7900");
  BOOST_TEST(line(39) == " 3/20  loss 0.4123  val_loss 0.5000");
  BOOST_TEST(line(20) == " 3/20  loss 0.4123  ");
  for (std::size_t columns = 1; columns < 200; ++columns) {
    BOOST_TEST(line(columns).size() <= columns);
  }
}

BOOST_AUTO_TEST_CASE(what_callbacks_cannot_use_is_said_with_the_remedy) {
  const nn::Dense model(2, 3);
  nn::Trainer trainer(model, nn::SGD(model.parameters()), nn::cross_entropy);
  const datasets::Dataset data(ones({4, 2}), zeros({4}, DType::int64));
  for (const nn::Callback& callback : {nn::callbacks::early_stopping(), nn::callbacks::reduce_on_plateau()}) {
    check_throws<ValueError>(
        [&] { trainer.fit(data, {.epochs = 1, .callbacks = {callback}, .progress = nn::Progress::quiet}); },
        {"no score called 'validation_loss'; give .validation or .validation_fraction", "callbacks.cpp:"});
  }
  const auto stops = nn::callbacks::early_stopping({.monitor = "loss", .patience = 0});
  const nn::Callback forget{
      .on_epoch_end = [](nn::TrainingState& training) { training.scores.set("loss", std::nan("")); }};
  const nn::History history =
      trainer.fit(data, {.epochs = 5, .callbacks = {forget, stops}, .progress = nn::Progress::quiet});
  BOOST_TEST(history.stopped == "loss was never a finite number");
  const auto line = std::to_string(__LINE__ + 1);
  const nn::Callback bad = nn::callbacks::schedule([](std::int64_t step) { return 1.0 - static_cast<double>(step); });
  check_throws<ValueError>(
      [&] { trainer.fit(data, {.epochs = 5, .callbacks = {bad}, .progress = nn::Progress::quiet}); },
      {"[schedule] the learning rate at step 2 is -1", "callbacks.cpp:" + line});
}

BOOST_AUTO_TEST_SUITE_END()
