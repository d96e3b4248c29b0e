// Writes reports to be looked at in a browser, and what has to be on them:  write_pages FOLDER [FASHION_MNIST_FOLDER]
//
// For each page NAME.html there is NAME.json: `sections`, in order; `runs`, the histories that fit returned, or that were
// made up; `refreshes`, whether the page loads itself anew; `texts` that are to be seen.

#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "autograd/autograd.hpp"
#include "datasets/datasets.hpp"
#include "nn/nn.hpp"

using namespace xgrad;

namespace {

using Json = nlohmann::json;

const std::vector<std::string> every_section = {"glance", "curves", "classification", "weights", "network", "time"};
const std::vector<std::string> scores_alone = {"glance", "curves"};

struct Page {
  std::filesystem::path folder;
  std::string name;
  std::vector<std::string> sections = scores_alone;
  std::vector<std::string> texts = {};
  bool refreshes = false;

  std::filesystem::path path() const { return folder / (name + ".html"); }

  void expect(const std::vector<std::vector<nn::Scores>>& runs) const {
    Json json = {{"sections", sections}, {"texts", texts}, {"refreshes", refreshes}, {"runs", Json::array()}};
    for (const std::vector<nn::Scores>& epochs : runs) {
      Json run = Json::array();
      for (const nn::Scores& scores : epochs) {
        Json numbers = Json::object();
        for (const auto& [score, value] : scores) {
          numbers[score] = std::isfinite(value) ? Json(value) : Json(nullptr);
        }
        run.push_back(numbers);
      }
      json["runs"].push_back(run);
    }
    std::ofstream(folder / (name + ".json")) << json.dump();
  }

  void write(const std::vector<nn::RunRecord>& runs) const {
    nn::write_report(path(), runs);
    std::vector<std::vector<nn::Scores>> epochs;
    for (const nn::RunRecord& run : runs) {
      epochs.push_back(run.epochs);
    }
    expect(epochs);
  }
};

// A course as losses have it: falls, with some noise, and rises again where it is of validation data.
nn::RunRecord made_up(const std::string& title, int epochs, double rate, double overfitting) {
  nn::RunRecord run = nn::this_run(title);
  run.planned_epochs = epochs;
  run.samples = 50000;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    const double noise = 0.03 * std::sin(epoch * 12.9898) * std::cos(epoch * 78.233);
    nn::Scores scores;
    const double loss = 2.3 * std::exp(-rate * epoch) + 0.02;
    scores.set("loss", loss * (1 + noise));
    scores.set("accuracy", 1 - loss / 3);
    scores.set("validation_loss", (loss + overfitting * epoch / 1000 + 0.1) * (1 + 2 * noise));
    scores.set("validation_accuracy", 0.97 - loss / 3 - overfitting * epoch / 9000);
    scores.set("learning_rate", 1e-3 * std::pow(0.98, epoch));
    scores.set("seconds", 1.5 + noise);
    run.epochs.push_back(scores);
  }
  return run;
}

// As a callback makes it, of images.
void write_fit(const Page& page, const std::string& images, std::int64_t epochs, bool validated) {
  const auto data = datasets::FashionMnist::load(images);
  const auto [few, others] = datasets::split(data.train, {.fraction = 0.8, .seed = 1, .stratified = true});
  nn::Sequential model(nn::Dense(784, 128), nn::ReLU(), nn::Dense(128, 64), nn::ReLU(), nn::Dense(64, 10));
  model.initialize(random::Key(0));
  nn::Trainer trainer(model, nn::Adam(model.parameters(), {.learning_rate = 2e-3}), nn::cross_entropy,
                      {.metrics = {nn::Accuracy()}, .batches = {.batch_size = 64}});
  const auto& names = datasets::FashionMnist::class_names;
  const auto report =
      nn::callbacks::report(page.path(), {.title = "Fashion-MNIST", .class_names = {names.begin(), names.end()}});
  nn::FitOptions options{.epochs = epochs, .callbacks = {report}, .progress = nn::Progress::quiet};
  if (validated) {
    options.validation = data.test;
  }
  page.expect({trainer.fit(few, options).epochs});
}

// Each step makes the error about four times as large, until it is no number any more.
void write_failed_fit(const Page& page) {
  nn::Sequential model(nn::Dense(2, 1));
  nn::Trainer trainer(model, nn::SGD(model.parameters(), {.learning_rate = 1.5}), nn::mse,
                      {.batches = {.batch_size = 5}});
  const Tensor x = random::normal(random::Key(1), {40, 2});
  const datasets::Dataset data(x, sum(x, {1}, true));
  std::vector<nn::Scores> epochs;
  const nn::Callback keep{.on_epoch_end = [&](nn::TrainingState& state) { epochs.push_back(state.scores); }};
  try {
    trainer.fit(
        data, {.epochs = 50, .callbacks = {keep, nn::callbacks::report(page.path())}, .progress = nn::Progress::quiet});
  } catch (const Error&) {
  }
  page.expect({epochs});
}

nn::RunRecord with_a_hundred_classes() {
  nn::RunRecord run = made_up("a hundred classes", 20, 0.2, 1);
  nn::Classification& c = run.classification;
  c.data = "test";
  for (int i = 0; i < 100; ++i) {
    c.classes.push_back("class number " + std::to_string(i));
    for (int j = 0; j < 100; ++j) {
      const bool near = std::abs(i - j) < 4 || (i * 31 + j * 17) % 41 == 0;
      c.counts.push_back(i == j ? 70 + i % 20 : near ? (i * 7 + j * 3) % 5 : 0);
    }
  }
  return run;
}

nn::RunRecord with_hostile_names() {
  const std::string hostile = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>\"'&";
  nn::RunRecord run = made_up(hostile, 3, 0.2, 1);
  run.options = {{hostile, hostile}};
  run.stopped = hostile;
  for (nn::Scores& scores : run.epochs) {
    scores.set(hostile, 0.5);
  }
  run.classification = {.data = hostile,
                        .classes = {hostile, "a very long name of a class that does not fit anywhere at all"},
                        .counts = {3, 1, 2, 4},
                        .bins = {},
                        .calibration_error = 0,
                        .mistakes = {{1, 0, 1, 0.9, ""}}};
  run.network = {hostile, {{"0", hostile, hostile, 10, 10}}, 10};
  run.weights = {{hostile, {1, 2, 3}, {1e-3, 1e-3, 1e-3}}};
  run.units = {{hostile, {0.1, 0.2, 0.1}}};
  run.step = {1e-4, 20, 1, 1000, {{hostile, hostile, hostile, 1e-4, 1, 1, 1}}, hostile};
  return run;
}

nn::RunRecord diverged() {
  nn::RunRecord run = made_up("diverged", 12, 0.1, 0);
  for (std::size_t i = 5; i < run.epochs.size(); ++i) {
    const double growing = i < 9 ? std::pow(30.0, static_cast<double>(i - 4)) : std::nan("");
    run.epochs[i].set("loss", growing);
    run.epochs[i].set("validation_loss", growing * 2);
  }
  return run;
}

void write_pages(const std::filesystem::path& folder, const std::string& images) {
  std::filesystem::create_directories(folder);
  write_fit({folder, "fit", every_section, {"Fashion-MNIST", "Ankle boot", "6 of 6"}}, images, 6, true);
  write_fit({folder, "no_validation", {"glance", "curves", "weights", "network", "time"}, {"2 of 2"}}, images, 2,
            false);
  write_failed_fit({folder, "failed", {"glance", "curves", "weights", "network", "time"}, {"a number is not finite"}});
  Page{folder, "diverged", scores_alone, {"not a finite number from epoch 10 on"}}.write({diverged()});
  Page{folder, "one_epoch"}.write({made_up("one epoch", 1, 0.3, 1)});
  Page{folder, "many_epochs", scores_alone, {"by heart"}}.write({made_up("200 epochs", 200, 0.05, 1)});
  Page{folder, "hundred_classes", {"glance", "curves", "classification"}, {"a hundred classes", "confusion matrix"}}
      .write({with_a_hundred_classes()});
  Page{folder, "hostile_names", every_section, {"</script><script>document.title='taken'</script>"}}.write(
      {with_hostile_names()});
  nn::RunRecord running = made_up("running", 4, 0.2, 1);
  running.planned_epochs = 9;
  running.running = true;
  Page{folder, "running", scores_alone, {"runs: epoch 5 of 9"}, true}.write({running});
  std::vector<nn::RunRecord> several = {made_up("rate 0.001", 40, 0.05, 2), made_up("rate 0.003", 40, 0.12, 4),
                                        made_up("rate 0.01", 25, 0.3, 12)};
  several[0].options = {{"learning_rate", "0.001"}, {"batch_size", "64"}};
  several[1].options = {{"learning_rate", "0.003"}, {"batch_size", "64"}};
  several[2].options = {{"learning_rate", "0.01"}, {"batch_size", "64"}};
  Page{folder, "several_runs", scores_alone, {"Options that differ", "learning_rate"}}.write(several);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    write_pages(argc > 1 ? argv[1] : ".", argc > 2 ? argv[2] : "");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
