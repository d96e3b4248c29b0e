#include "nn/report/report.hpp"

#include <cmath>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "autograd/autograd.hpp"
#include "autograd/runtime/workers.hpp"
#include "nn/nn.hpp"
#include "nn/report/chart.hpp"
#include "report.hpp"
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_report)

namespace {

using namespace xgrad;
using testing::check_throws;
using testing::count_of;
using testing::full_record;
using testing::has;
using testing::not_a_number;
using testing::read_bytes;
using testing::scores;

// Three classes of points, some with the wrong label, that a small model learns.
datasets::Dataset points(std::int64_t count) {
  const Tensor x = random::normal(random::Key(3), {count, 4});
  const Tensor y = argmax(slice(x, {0, 0}, {count, 3}, {1, 1}), 1);
  return {x, y};
}

}  // namespace

/// A model, an optimiser, and points to learn.
struct Points : testing::TemporaryFolder {
  nn::Sequential model{nn::Dense(4, 16), nn::ReLU(), nn::Dense(16, 3)};
  datasets::Dataset train = points(200);
  datasets::Dataset validation = points(60);
  std::filesystem::path page = folder / "report.html";

  nn::Trainer trainer(double rate = 0.05, std::int64_t accumulate = 1) {
    model.initialize(random::Key(0));
    return {model,
            nn::Adam(model.parameters(), {.learning_rate = rate}),
            nn::cross_entropy,
            {.metrics = {nn::Accuracy()}, .accumulate = accumulate, .batches = {.batch_size = 20, .seed = 7}}};
  }
  nn::FitOptions options(std::int64_t epochs, const std::vector<nn::Callback>& callbacks) const {
    return {.epochs = epochs, .validation = validation, .callbacks = callbacks, .progress = nn::Progress::quiet};
  }
};

BOOST_FIXTURE_TEST_CASE(a_fit_is_told_as_it_was, Points) {
  std::string while_it_runs;
  const nn::Callback look{.on_epoch_end = [&](nn::TrainingState& training) {
    while_it_runs = training.epoch == 2 ? read_bytes(page) : while_it_runs;
  }};
  const nn::Callback report = nn::callbacks::report(page, {.title = "points", .class_names = {"a", "b", "c"}});
  nn::Trainer training = trainer();
  const nn::History history = training.fit(train, options(3, {report, look}));

  BOOST_TEST(has(while_it_runs, "<meta http-equiv=\"refresh\""));
  BOOST_TEST(has(while_it_runs, "runs: epoch 3 of 3"));
  BOOST_TEST(!has(read_bytes(page), "http-equiv=\"refresh\""));
  const nn::RunRecord run = nn::read_runs(page).front();
  BOOST_TEST(run.title == "points");
  BOOST_TEST(run.samples == 200);
  BOOST_TEST(run.planned_epochs == 3);
  BOOST_TEST(run.seed == "7");
  BOOST_TEST(run.epochs.size() == history.epochs.size());
  for (std::size_t i = 0; i < history.epochs.size(); ++i) {
    for (const auto& [name, value] : history.epochs[i]) {
      BOOST_TEST(run.epochs[i][name] == value);
    }
  }
  nn::ConfusionMatrix matrix(3);
  matrix.update(training.predict(validation.features()), validation.targets());
  for (std::int64_t i = 0; i < 9; ++i) {
    BOOST_TEST(run.classification.counts[static_cast<std::size_t>(i)] == matrix.count(i / 3, i % 3));
  }
  BOOST_TEST(run.network.layers.size() == 3u);
  BOOST_TEST(run.network.layers[0].parameters == 80);
  BOOST_TEST(run.network.layers[2].multiply_adds == 20 * 16 * 3);
  BOOST_TEST(run.weights.size() == 2u);
  BOOST_TEST(run.weights[0].name == "0.weight");
  const double norm = sqrt(sum(square(model.named_variables()[0].variable.read()))).item();
  BOOST_TEST(run.weights[0].norms.back() == norm, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(run.units.size() == 1u);
  BOOST_TEST(run.units[0].layer == "1 ReLU");
}

BOOST_FIXTURE_TEST_CASE(without_validation_other_data_are_classified, Points) {
  const auto run_with = [&](const nn::callbacks::ReportOptions& options) {
    nn::FitOptions fit = this->options(2, {nn::callbacks::report(page, options)});
    fit.validation.reset();
    trainer().fit(train, fit);
    return nn::read_runs(page).front();
  };
  const nn::RunRecord plain = run_with({});
  BOOST_TEST(plain.classification.classes.empty());
  BOOST_TEST(plain.best_by() == "loss");
  BOOST_TEST(!has(read_bytes(page), "id=\"classification\""));
  const nn::RunRecord other = run_with({.data = validation,
                                        .monitor = "accuracy",
                                        .maximize = true,
                                        .options = {{"size", "16"}},
                                        .probe_samples = 0,
                                        .measure_step = false});
  std::int64_t total = 0;
  for (const std::int64_t count : other.classification.counts) {
    total += count;
  }
  BOOST_TEST(total == validation.size());
  BOOST_TEST(other.best_by() == "accuracy");
  BOOST_TEST((other.options.front() == std::pair<std::string, std::string>("size", "16")));
  BOOST_TEST(other.units.empty());
  BOOST_TEST(other.step.kernels.empty());
  BOOST_TEST(other.weights.size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_report_changes_nothing, Points) {
  const auto train_with = [&](const std::vector<nn::Callback>& callbacks, std::int64_t accumulate) {
    nn::Trainer training = trainer(0.05, accumulate);
    training.fit(train, options(3, callbacks));
    return testing::hash_of(model.variables());
  };
  for (const std::int64_t accumulate : {1, 3}) {
    const std::uint64_t plain = train_with({}, accumulate);
    BOOST_TEST(train_with({nn::callbacks::report(page)}, accumulate) == plain);
  }
}

BOOST_FIXTURE_TEST_CASE(kernels_are_of_layers, Points) {
  nn::Trainer training = trainer();
  training.fit(train, options(1, {nn::callbacks::report(page)}));
  const nn::StepCost step = nn::read_runs(page).front().step;
  double share = 0, first = 0, second = 0, loss = 0;
  int products = 0;
  for (const nn::KernelCost& kernel : step.kernels) {
    share += kernel.share;
    first += kernel.layer == "0 Dense" ? kernel.share : 0;
    second += kernel.layer == "2 Dense" ? kernel.share : 0;
    loss += kernel.layer == "loss" ? kernel.share : 0;
    BOOST_TEST(kernel.layer != "several layers");
    BOOST_TEST(kernel.layer != "other");
    const bool of_first = has(kernel.computes, "(4, 20) x (20, 16)");  // the gradient of its weight
    BOOST_TEST((!of_first || kernel.layer == "0 Dense"));
    const bool of_second = has(kernel.computes, "(16, 20) x (20, 3)");
    BOOST_TEST((!of_second || kernel.layer == "2 Dense"));
    products += of_first + of_second;
  }
  BOOST_TEST(share == 1, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(first > 0);
  BOOST_TEST(second > 0);
  BOOST_TEST(loss > 0);
  BOOST_TEST(products == 2);
  BOOST_TEST(step.seconds > 0);
  BOOST_TEST(step.bytes > 0);
  BOOST_TEST(has(step.memory_map, "arena"));
}

BOOST_FIXTURE_TEST_CASE(a_diverged_run_says_so, Points) {
  nn::Trainer training = trainer(1e30);
  check_throws<ValueError>([&] { training.fit(train, options(5, {nn::callbacks::report(page)})); }, {"not finite"});
  const std::string text = read_bytes(page);
  BOOST_TEST(has(text, "a number is not finite in epoch 1"));
  BOOST_TEST(!has(text, "http-equiv=\"refresh\""));

  nn::RunRecord run;  // of a loop that goes on
  run.epochs = {scores(2, 2), scores(30, 40), scores(not_a_number, not_a_number),
                scores(std::numeric_limits<double>::infinity(), not_a_number)};
  const std::string page_of_nan = nn::report_page({run});
  BOOST_TEST(has(page_of_nan, "not a finite number from epoch 3 on"));
  BOOST_TEST(count_of(page_of_nan, "class=\"bad\"") >= 2u);
  BOOST_TEST(!has(page_of_nan, "nan"));
  BOOST_TEST(!has(page_of_nan, ">inf"));
  BOOST_TEST(run.best_epoch() == 0);
  run.epochs = {scores(not_a_number, not_a_number)};
  BOOST_TEST(run.best_epoch() == -1);
  BOOST_TEST(has(nn::report_page({run}), "<section id=\"glance\">"));
}

BOOST_FIXTURE_TEST_CASE(whole_or_not_at_all, Points) {
  nn::write_report(page, full_record());
  const std::string before = read_bytes(page);
  check_throws<FileError>([&] { nn::write_report(folder / "no" / "page.html", full_record()); },
                          {"[write_report] ", "page.html", "report.cpp:"});
  check_throws<ValueError>([&] { nn::write_report(page, std::vector<nn::RunRecord>()); }, {"no runs"});
  BOOST_TEST(read_bytes(page) == before);
  nn::Trainer training = trainer();
  check_throws<FileError>(
      [&] { training.fit(train, options(1, {nn::callbacks::report(folder / "no" / "page.html")})); },
      {"[write_report] "});
  // Between two epochs the folder goes: training does not.
  const std::filesystem::path other = folder / "other";
  std::filesystem::create_directory(other);
  const nn::Callback remove{.on_epoch_start = [&](nn::TrainingState&) { std::filesystem::remove_all(other); }};
  BOOST_TEST(training.fit(train, options(2, {remove, nn::callbacks::report(other / "page.html")})).epochs.size() == 2u);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator(folder)) {
    ++files;
  }
  BOOST_TEST(files == 1u);  // nothing half-written beside it
}

BOOST_FIXTURE_TEST_CASE(runs_are_read_from_what_programs_write, Points) {
  const std::filesystem::path log = folder / "log.jsonl", checkpoint = folder / "run.safetensors";
  nn::Trainer training = trainer();
  const nn::History history = training.fit(
      train,
      options(2, {nn::callbacks::json_log(log), nn::callbacks::checkpoint(checkpoint), nn::callbacks::report(page)}));
  for (const std::filesystem::path& file : {log, checkpoint, page}) {
    const std::vector<nn::RunRecord> runs = nn::read_runs(file);
    BOOST_TEST(runs.size() == 1u);
    const nn::RunRecord& run = runs.front();
    BOOST_TEST(run.epochs.size() == 2u);
    BOOST_TEST(run.epochs[1]["validation_accuracy"] == history["validation_accuracy"][1]);
    BOOST_TEST(run.seed == "7");
    BOOST_TEST(run.planned_epochs == 2);
    BOOST_TEST(run.machine.threads == runtime::num_threads());
    BOOST_TEST(!run.command.empty());
    BOOST_TEST(!run.running);
  }
  BOOST_TEST(nn::read_runs(checkpoint).front().network.layers.size() == 3u);

  const nn::Callback stop{.on_epoch_end = [](nn::TrainingState& state) { state.stop("enough \"\n"); }};
  training.fit(train, options(5, {nn::callbacks::json_log(log), stop}));
  BOOST_TEST(nn::read_runs(log).front().stopped == "enough \"\n");
  BOOST_TEST(nn::read_runs(log).front().epochs.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(earlier_logs_and_half_written_ones_are_read, testing::TemporaryFolder) {
  const std::filesystem::path log = folder / "old.jsonl";
  testing::write_bytes(
      log, "{\"epoch\":1,\"loss\":0.5,\"f1\":null}\n{\"epoch\":2,\"loss\":0.25,\"f1\":1}\n{\"epoch\":3,\"lo");
  const nn::RunRecord run = nn::read_runs(log).front();
  BOOST_TEST(run.title == "old");
  BOOST_TEST(run.epochs.size() == 2u);
  BOOST_TEST(run.epochs[1]["loss"] == 0.25);
  BOOST_TEST(std::isnan(run.epochs[0]["f1"]));
  testing::write_bytes(log, "{\"epoch\":1,\"loss\":0.5}\nnonsense\n{\"epoch\":2}\n");
  check_throws<FileError>([&] { nn::read_runs(log); }, {"[read_runs] ", "old.jsonl", "nonsense", "report.cpp:"});
  testing::write_bytes(log, "hello");
  check_throws<FileError>([&] { nn::read_runs(log); }, {"`hello`"});
  testing::write_bytes(log, "{\"epoch\":1,\"loss\":1,\"run\":{\"schema\":\"xgrad-run\",\"version\":2}}\n");
  check_throws<FileError>([&] { nn::read_runs(log); }, {"version 2"});
  check_throws<FileError>([&] { nn::read_runs(folder / "missing"); }, {"missing"});
}

BOOST_FIXTURE_TEST_CASE(a_resumed_run_has_one_report, Points) {
  const std::filesystem::path checkpoint = folder / "run.safetensors";
  const auto callbacks = [&](const std::filesystem::path& to) {
    return std::vector{nn::callbacks::report(to), nn::callbacks::checkpoint(checkpoint)};
  };
  trainer().fit(train, options(2, callbacks(page)));
  nn::FitOptions more = options(4, callbacks(page));
  more.resume = checkpoint;
  trainer().fit(train, more);
  const nn::RunRecord run = nn::read_runs(page).front();
  BOOST_TEST(run.epochs.size() == 4u);
  BOOST_TEST(run.weights[0].norms.size() == 4u);
  BOOST_TEST(std::isfinite(run.weights[0].updates[0]));
  BOOST_TEST(run.planned_epochs == 4);
}

BOOST_FIXTURE_TEST_CASE(callbacks_are_told_of_errors, Points) {
  std::string told;
  const nn::Callback hear{
      .on_end = [&](nn::TrainingState&) { told += "end"; },
      .on_error = [&](nn::TrainingState& state,
                      const std::exception& error) { told += std::to_string(state.epoch) + error.what(); }};
  const nn::Callback fail{.on_epoch_end = [](nn::TrainingState&) { throw std::runtime_error(" enough"); }};
  BOOST_CHECK_THROW(trainer().fit(train, options(3, {fail, hear})), std::runtime_error);
  BOOST_TEST(told == "1 enough");
  told.clear();
  trainer().fit(train, options(1, {hear}));
  BOOST_TEST(told == "end");
}

BOOST_FIXTURE_TEST_CASE(a_second_fit_has_a_report_of_its_own, Points) {
  const nn::Callback report = nn::callbacks::report(page);
  nn::Trainer training = trainer();
  training.fit(train, options(3, {report}));
  training.fit(train, options(2, {report}));
  const nn::RunRecord run = nn::read_runs(page).front();
  BOOST_TEST(run.planned_epochs == 2);
  BOOST_TEST(run.epochs.size() == 2u);
  BOOST_TEST(run.weights[0].norms.size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
