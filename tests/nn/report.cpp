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
#include "tests/datasets/temporary_folder.hpp"
#include "tests/testing.hpp"

BOOST_AUTO_TEST_SUITE(nn_report)

namespace {

using namespace xgrad;
using testing::check_throws;
using testing::read_bytes;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

nn::Scores scores(double loss, double validation_loss) {
  nn::Scores all;
  all.set("loss", loss);
  all.set("validation_loss", validation_loss);
  return all;
}

// With something in every member.
nn::RunRecord full_record() {
  nn::RunRecord run;
  run.title = "a run";
  run.command = "train --epochs 2";
  run.machine = {.cpu = "a CPU", .processors = 4, .threads = 2, .kernels = "avx2", .blas = "OpenBLAS"};
  run.options = {{"epochs", "2"}, {"optimizer", "Adam"}};
  run.seed = "18446744073709551615";
  run.monitor = "validation_loss";
  run.maximize = true;
  run.planned_epochs = 3;
  run.samples = 600;
  run.running = true;
  run.stopped = "somebody said so";
  run.epochs = {scores(0.1, 1 / 3.), scores(1e-300, not_a_number)};
  run.weights = {{"0.weight", {1.5, 2.5}, {not_a_number, 1e-3}}};
  run.units = {{"1 ReLU", {0.25, 0.5}}};
  run.classification = {.data = "test",
                        .classes = {"cat", "dog"},
                        .counts = {3, 1, 2, 4},
                        .bins = {{4, 0.6, 0.5}, {6, 0.9, 0.8}},
                        .calibration_error = 0.1,
                        .mistakes = {{7, 0, 1, 0.99, "aGVsbG8="}}};
  run.network = {"(6, 4)", {{"0", "Dense", "(6, 2)", 10, 48}}, 10};
  run.step = {1e-4, 20, 2, 1000, {{"0 Dense", "matmul", "(6, 4) x (4, 2)", 5e-5, 0.75, 1.5, 2.5}}, "offset"};
  return run;
}

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

BOOST_AUTO_TEST_CASE(records_survive_json) {
  const nn::RunRecord run = full_record();
  const std::string text = run.json();
  BOOST_TEST(nn::RunRecord::from_json(text).json() == text);
  const auto json = nlohmann::json::parse(text);
  BOOST_TEST(json["schema"] == "xgrad-run");
  BOOST_TEST(json["version"] == 1);
  BOOST_TEST(json["epochs"][0]["validation_loss"].get<double>() == 1 / 3.);
  BOOST_TEST(json["epochs"][1]["loss"].get<double>() == 1e-300);
  BOOST_TEST(json["epochs"][1]["validation_loss"].is_null());
  BOOST_TEST(json["classification"]["counts"].get<std::vector<int>>() == (std::vector<int>{3, 1, 2, 4}),
             boost::test_tools::per_element());
  const nn::RunRecord back = nn::RunRecord::from_json(text);
  BOOST_TEST(std::isnan(back.weights[0].updates[0]));
  BOOST_TEST(back.step.kernels[0].gflops == 1.5);
  BOOST_TEST(nn::detail::runs_of_page(nn::detail::page_json({run, back}))[1].json() == text);
  check_throws<ValueError>([] { nn::RunRecord::from_json("{\"schema\":\"xgrad-run\",\"version\":99}"); },
                           {"[read_runs] ", "version 99"});
  check_throws<ValueError>([] { nn::RunRecord::from_json("{\"version\":1}"); }, {"schema"});
  check_throws<ValueError>([] { nn::RunRecord::from_json("[1, 2"); }, {"[read_runs] "});
}

BOOST_AUTO_TEST_CASE(names_are_text_and_nothing_else) {
  const std::string hostile = "</script><script>alert(1)</script><img src=x onerror='alert(2)'>\" & \x01\xff\xc3\xa9";
  nn::RunRecord run = full_record();
  run.title = run.command = run.seed = run.stopped = hostile;
  run.machine.cpu = run.machine.blas = run.machine.kernels = hostile;
  run.options = {{hostile, hostile}};
  run.epochs.front().set(hostile, 1);
  run.weights.front().name = run.units.front().layer = run.classification.data = hostile;
  run.classification.classes = {hostile, hostile};
  run.classification.mistakes.front().png = hostile;
  run.network.input = hostile;
  run.network.layers.front() = {hostile, hostile, hostile, 1, 1};
  run.step.kernels.front().layer = run.step.kernels.front().name = run.step.kernels.front().computes = hostile;
  run.step.memory_map = hostile;
  for (const std::vector<nn::RunRecord>& runs : {std::vector{run}, std::vector{run, run}}) {
    const std::string page = nn::report_page(runs);
    BOOST_TEST(!has(page, "<script>"));
    BOOST_TEST(count_of(page, "<script") == 1u);
    BOOST_TEST(count_of(page, "</script") == 1u);
    BOOST_TEST(!has(page, "<img src=x"));
    BOOST_TEST(!has(page, "\x01"));
    BOOST_TEST(!has(page, "\xff"));
    BOOST_TEST(has(page, "&lt;/script&gt;&lt;script&gt;alert(1)"));
    BOOST_TEST(has(page, "é"));
  }
  testing::TemporaryFolder place;
  nn::write_report(place.folder / "a.html", run);
  const nn::RunRecord back = nn::read_runs(place.folder / "a.html").front();
  BOOST_TEST(back.classification.classes.front().starts_with("</script><script>alert(1)</script>"));
}

BOOST_AUTO_TEST_CASE(a_page_needs_nothing_else) {
  const std::string page = nn::report_page({full_record()});
  BOOST_TEST(page.starts_with("<!DOCTYPE html>"));
  for (const char* id : {"glance", "curves", "classification", "weights", "network", "time"}) {
    BOOST_TEST(has(page, "<section id=\"" + std::string(id) + "\">"));
    BOOST_TEST(has(page, "<a href=\"#" + std::string(id) + "\">"));
  }
  BOOST_TEST(!has(page, "http://"));
  BOOST_TEST(!has(page, "https://"));
  BOOST_TEST(!has(page, "<link"));
  BOOST_TEST(has(page, "prefers-color-scheme:dark"));
  BOOST_TEST(count_of(page, "<svg") == count_of(page, "role=\"img\" aria-label=\""));
  BOOST_TEST(has(page, "somebody said so"));
  BOOST_TEST(has(page, "a CPU; 4 processors; 2 threads"));
  BOOST_TEST(has(page, "data:image/png;base64,aGVsbG8="));

  const std::string empty = nn::report_page({nn::RunRecord()});  // nothing to say: no sections but the first
  BOOST_TEST(count_of(empty, "<section") == 1u);
}

BOOST_AUTO_TEST_CASE(of_several_runs_only_what_differs_is_shown) {
  nn::RunRecord a = full_record();
  a.running = false;
  a.options = {{"batch_size", "64"}, {"learning_rate", "0.1"}, {"momentum", "0.9"}};
  nn::RunRecord b = a;
  b.title = "another";
  b.options = {{"batch_size", "64"}, {"learning_rate", "0.2"}};
  const std::string page = nn::report_page({a, b});
  BOOST_TEST(has(page, "Options that differ"));
  BOOST_TEST(has(page, "<th scope=\"row\">learning_rate</th><td>0.1</td><td>0.2</td>"));
  BOOST_TEST(has(page, "<th scope=\"row\">momentum</th><td>0.9</td><td></td>"));
  BOOST_TEST(!has(page, "<th scope=\"row\">batch_size</th>"));
  BOOST_TEST(has(page, "another, validation"));
  BOOST_TEST(has(page, "<section id=\"time-2\">"));
}

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

BOOST_AUTO_TEST_CASE(one_epoch_and_many_fit_on_a_page) {
  nn::RunRecord run;
  run.epochs = {scores(0.5, 0.6)};
  const std::string one = nn::report_page({run});
  BOOST_TEST(has(one, "<circle class=\"dot k0\""));
  BOOST_TEST(has(one, "<circle class=\"dot k1\""));
  run.epochs.clear();
  for (int i = 0; i < 20000; ++i) {
    run.epochs.push_back(scores(1.0 / (1 + i), 1.5 / (1 + i)));
  }
  run.epochs.resize(200);
  BOOST_TEST(nn::report_page({run}).size() < 400'000u);
  BOOST_TEST(has(nn::report_page({run}), "(logarithmic)"));
  BOOST_TEST(run.best_epoch() == 199);
}

BOOST_AUTO_TEST_CASE(a_hundred_classes_fit_on_a_page) {
  nn::RunRecord run;
  nn::Classification& c = run.classification;
  for (int i = 0; i < 100; ++i) {
    c.classes.push_back("class " + std::to_string(i));
    for (int j = 0; j < 100; ++j) {
      c.counts.push_back(i == j ? 80 : (i * 7 + j * 3) % 5 == 0 ? 1 : 0);
    }
  }
  c.counts[1 * 100 + 3] = 9;
  const std::string page = nn::report_page({run});
  BOOST_TEST(page.size() < 1'000'000u);
  BOOST_TEST(has(page, "<th scope=\"row\">class 1</th><td>class 3</td><td>9</td>"));
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

BOOST_AUTO_TEST_CASE(calibration_is_as_defined) {
  // Confidences 0.95, 0.95, 0.65, 0.55, of which the second and the last are wrong.
  const Tensor probabilities = xt::xarray<double>{{0.95, 0.05}, {0.95, 0.05}, {0.35, 0.65}, {0.55, 0.45}};
  const datasets::Dataset data(zeros({4, 3}), Tensor{0, 1, 1, 1});
  const nn::Classification c = nn::classify(probabilities, data, {.class_names = {"no"}});
  BOOST_TEST(c.calibration_error == (2 * std::abs(0.5 - 0.95) + std::abs(1 - 0.65) + std::abs(0 - 0.55)) / 4,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(c.classes == (std::vector<std::string>{"no", "1"}), boost::test_tools::per_element());
  BOOST_TEST(c.mistakes.size() == 2u);
  BOOST_TEST(c.mistakes[0].sample == 1);
  BOOST_TEST(c.mistakes[0].confidence == 0.95);
  BOOST_TEST(c.mistakes[0].png.empty());
  // Logits say the same as their probabilities.
  const nn::Classification same = nn::classify(log(probabilities) + 3, data);
  BOOST_TEST(same.calibration_error == c.calibration_error, boost::test_tools::tolerance(1e-9));
  check_throws<ShapeError>([&] { nn::classify(ones({3, 2}), data); }, {"[classify] ", "(3, 2)", "report.cpp:"});
}

BOOST_AUTO_TEST_CASE(updates_and_dead_units_are_as_defined) {
  const nn::Sequential model(nn::Dense(2, 2), nn::ReLU());
  const nn::Variables variables = model.parameters();
  variables[0].assign(Tensor(xt::xarray<float>{{3, 0}, {0, 4}}));
  variables[1].assign(Tensor(xt::xarray<float>{0, -100}));  // the second unit is below 0 whatever comes
  nn::LayerProbe probe(model, Tensor(xt::xarray<float>{{1, 1}, {2, 2}}));
  nn::RunRecord run;
  run.epochs.emplace_back();
  probe.after_epoch(run);  // of a step that was not looked at
  BOOST_TEST(run.weights[0].norms[0] == 5);
  BOOST_TEST(std::isnan(run.weights[0].updates[0]));
  BOOST_TEST(run.units[0].dead[0] == 0.5);
  run.epochs.emplace_back();
  probe.before_step();
  variables[0].assign(Tensor(xt::xarray<float>{{0, 0}, {0, 4}}));
  probe.after_epoch(run);
  BOOST_TEST(run.weights[0].norms[1] == 4);
  BOOST_TEST(run.weights[0].updates[1] == 0.75);
  BOOST_TEST(run.units[0].dead[1] == 1);
}

BOOST_AUTO_TEST_CASE(axes_have_round_numbers) {
  const auto near = [](const nn::detail::Ticks& ticks, const std::vector<double>& expected) {
    bool all = ticks.at.size() == expected.size();
    for (std::size_t i = 0; all && i < expected.size(); ++i) {
      all = std::abs(ticks.at[i] - expected[i]) <= 1e-12 * std::abs(expected[i]);
    }
    return all;
  };
  BOOST_TEST(near(nn::detail::linear_ticks(0.13, 0.51), {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}));
  BOOST_TEST(near(nn::detail::linear_ticks(-3, 12), {-4, -2, 0, 2, 4, 6, 8, 10, 12}));
  BOOST_TEST(near(nn::detail::linear_ticks(1, 10, true), {2, 4, 6, 8, 10}));
  BOOST_TEST(near(nn::detail::logarithmic_ticks(0.003, 0.2), {0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2}));
  BOOST_TEST(near(nn::detail::logarithmic_ticks(2e-5, 30), {1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100}));
  for (const double value : {0.0, 1e-30, 1e-3, 1.0, 7e30}) {  // of one value, too
    for (const nn::detail::Ticks& ticks :
         {nn::detail::linear_ticks(value, value), nn::detail::logarithmic_ticks(value + 1e-9, value + 1e-9)}) {
      BOOST_TEST(ticks.first < ticks.last);
      BOOST_TEST(ticks.at.size() >= 2u);
      BOOST_TEST(ticks.at.size() <= 12u);
    }
  }
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
