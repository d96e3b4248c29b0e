// Trains a multilayer perceptron on Fashion-MNIST and reports how well it does on the test images.

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <autograd/autograd.hpp>
#include <autograd/runtime/hash.hpp>
#include <autograd/runtime/workers.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

#include "fashion_mnist_settings.hpp"
#include "flags.hpp"
#include "measure.hpp"
#include "recipe.hpp"
#include "run_report.hpp"
#include "terminal.hpp"
#include "world.hpp"

using namespace xgrad;

namespace {

nn::Module make_activation(const std::string& name) {
  if (name == "tanh") {
    return nn::Tanh();
  }
  if (name == "sigmoid") {
    return nn::Sigmoid();
  }
  return nn::ReLU();
}

nn::Sequential make_model(const Settings& s, std::int64_t features, std::int64_t classes) {
  const nn::DenseOptions options{.initializer =
                                     s.activation == "relu" ? nn::init::he_uniform : nn::init::glorot_uniform};
  nn::Sequential model;
  std::int64_t size = features;
  for (const int hidden : s.hidden) {
    model.append(nn::Dense(size, hidden, options));
    model.append(make_activation(s.activation));
    size = hidden;
  }
  model.append(nn::Dense(size, classes));
  model.initialize(random::Key(s.seed));
  return model;
}

std::unique_ptr<nn::Optimizer> make_optimizer(const Settings& s, const nn::Variables& parameters) {
  if (s.optimizer == "sgd") {
    return std::make_unique<nn::SGD>(parameters, nn::SGDOptions{.momentum = s.momentum});
  }
  return std::make_unique<nn::Adam>(parameters);
}

double initial_rate(const Settings& s) {
  return s.learning_rate > 0 ? s.learning_rate : s.optimizer == "sgd" ? 0.05 : 2e-3;
}

// What all results depend on: a checkpoint of another training is none to go on from.
std::string settings_of(const Settings& s) {
  const auto exactly = [](double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", number);
    return std::string(text);
  };
  std::string text = "epochs " + std::to_string(s.epochs) + ", batch size " + std::to_string(s.batch_size) +
                     ", learning rate " + exactly(initial_rate(s)) + ", optimizer " + s.optimizer + ", activation " +
                     s.activation + ", seed " + std::to_string(s.seed) + ", hidden";
  for (const int size : s.hidden) {
    text += ' ' + std::to_string(size);
  }
  if (s.products != Settings().products) {
    text += ", products " + s.products;
  }
  return s.optimizer == "sgd" ? text + ", momentum " + exactly(s.momentum) : text;
}

// Where a training stands between two epochs.
struct Position {
  int epochs = 0;  // that are done
  std::int64_t step = 0;
  double train_seconds = 0;
  double test_accuracy = 0;

  void save(nn::Saved& saved) const {
    saved.put("epochs", epochs);
    saved.put("step", step);
    saved.put("train_seconds", train_seconds);
    saved.put("test_accuracy", test_accuracy);
  }
  void load(const nn::Saved& saved) {
    saved.load("epochs", epochs);
    saved.load("step", step);
    saved.load("train_seconds", train_seconds);
    saved.load("test_accuracy", test_accuracy);
  }
};

void write_checkpoint(const Settings& s, const nn::Sequential& model, const nn::Optimizer& optimizer,
                      const Position& position, const nn::RunRecord& record) {
  nn::Saved saved;
  saved.put("settings", settings_of(s));
  saved.put("model", model);
  saved.put("optimizer", optimizer);
  saved.put("position", position);
  saved.put("record", record.json());  // xgrad-report makes a page of it
  nn::write_saved(s.checkpoint, saved);
}

// The options of a run that are not the default.
nn::RunRecord::Options unusual_options(const Settings& s) {
  const Settings usual;
  nn::RunRecord::Options options;
  const auto add = [&](bool is_unusual, const char* name, const std::string& value) {
    if (is_unusual) {
      options.emplace_back(name, value);
    }
  };
  std::string hidden;
  for (const int size : s.hidden) {
    hidden += (hidden.empty() ? "" : ",") + std::to_string(size);
  }
  add(s.hidden != usual.hidden, "hidden", hidden);
  add(s.epochs != 10, "epochs", std::to_string(s.epochs));
  add(s.batch_size != usual.batch_size, "batch-size", std::to_string(s.batch_size));
  add(s.optimizer != usual.optimizer, "optimizer", s.optimizer);
  add(s.learning_rate > 0, "learning-rate", std::to_string(s.learning_rate));
  add(s.momentum != usual.momentum, "momentum", std::to_string(s.momentum));
  add(s.activation != usual.activation, "activation", s.activation);
  add(s.products != usual.products, "products", s.products);
  return options;
}

nn::RunRecord record_of(const Settings& s, std::int64_t samples) {
  nn::RunRecord record = nn::this_run("Fashion-MNIST");
  record.options = unusual_options(s);
  record.seed = std::to_string(s.seed);
  record.monitor = "test_accuracy";
  record.maximize = true;
  record.planned_epochs = s.epochs;
  record.samples = samples;
  return record;
}

// The beginning, where there is no checkpoint yet.
Position read_checkpoint(const Settings& s, const nn::Sequential& model, const nn::Optimizer& optimizer,
                         nn::RunRecord& record) {
  Position position;
  if (s.checkpoint.empty() || !std::filesystem::exists(s.checkpoint)) {
    return position;
  }
  const nn::Saved saved = nn::read_saved(s.checkpoint);
  if (!saved.contains("settings")) {
    const bool has_shards = saved.contains("options/shards");
    throw ValueError("[train] " + s.checkpoint +
                     (has_shards
                          ? " was made with --shards " + std::to_string(saved.integer("options/shards")) +
                                "; give that, too, or another file"
                          : " was made under mpirun; start this under mpirun, too, even if it is mpirun -n 1, or "
                            "give another file"));
  }
  if (saved.text("settings") != settings_of(s)) {
    throw ValueError("[train] " + s.checkpoint + " is of another training (" + saved.text("settings") +
                     "), this one is (" + settings_of(s) + "); give the same options, or another file");
  }
  saved.load("model", model);
  saved.load("optimizer", optimizer);
  saved.load("position", position);
  if (saved.contains("record")) {
    record = nn::RunRecord::from_json(saved.text("record"));
  }
  std::printf("goes on after epoch %d, from %s\n", position.epochs, s.checkpoint.c_str());
  return position;
}

// A number for the names and the elements of a model's state: equal numbers, equal bits.
void print_hash(const nn::Sequential& model) {
  std::uint64_t hash = 0;
  for (const auto& [name, array] : model.state()) {
    hash = runtime::combine_hashes(hash, runtime::hash_text(name));
    hash = runtime::combine_hashes(hash,
                                   runtime::hash_bytes({static_cast<const std::byte*>(array.data()), array.bytes()}));
  }
  std::printf("weights=%016llx\n", static_cast<unsigned long long>(hash));
}

void print_size(const datasets::FashionMnist& data, const nn::Sequential& model) {
  std::printf("%lld training and %lld test images, %lld parameters, %d thread%s\n",
              static_cast<long long>(data.train.size()), static_cast<long long>(data.test.size()),
              static_cast<long long>(model.parameter_count()), runtime::num_threads(),
              runtime::num_threads() == 1 ? "" : "s");
}

void print_result(const Settings& s, const nn::Sequential& model, const datasets::FashionMnist& data,
                  double test_accuracy, int epochs, double train_seconds) {
  const nn::ConfusionMatrix matrix = evaluate_scores(model, data.test);
  std::printf("\n%s\n%s\n", matrix.report(data.class_names).c_str(), matrix.table(data.class_names).c_str());
  if (s.hash) {
    print_hash(model);
  }
  std::printf("test_accuracy=%.4f epochs=%d train_seconds=%.2f\n", test_accuracy, epochs, train_seconds);
}

void train(const Settings& s) {
  const auto data = datasets::FashionMnist::load(s.data);
  const datasets::Batches batches(data.train, {.batch_size = s.batch_size, .seed = s.seed});
  constexpr std::int64_t classes = datasets::FashionMnist::class_count;

  const nn::Sequential model = make_model(s, datasets::FashionMnist::image_size, classes);
  const auto optimizer = make_optimizer(s, model.parameters());
  const nn::Schedule rate = nn::schedules::linear(initial_rate(s), 0, s.epochs * batches.count());
  print_size(data, model);

  const auto train_step = compile(
      [&](const Tensor& images, const Tensor& labels) {
        const Tensor logits = model(images);
        const Tensor loss = nn::cross_entropy(logits, labels);
        optimizer->minimize(loss);
        return std::pair(loss, logits);
      },
      {.products = product_precision(s.products)});

  nn::RunRecord record = record_of(s, batches.samples());
  Position at = read_checkpoint(s, model, *optimizer, record);
  RunReport report(s.report, std::move(record), model, data);
  for (int epoch = at.epochs + 1; epoch <= s.epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    double loss_sum = 0;
    double right = 0;
    std::int64_t batch = 0;
    for (const auto& [images, labels] : batches.epoch(epoch)) {
      optimizer->learning_rate().assign(rate(at.step++));
      report.before_step(batch + 1 == batches.count());
      const auto [loss, logits] = train_step(images, labels);
      const auto size = static_cast<double>(labels.size());
      loss_sum += loss.item() * size;
      right += nn::accuracy(logits, labels) * size;
      show_progress(epoch, ++batch, batches.count(), loss.item());
    }
    const double seconds = seconds_since(start);
    const auto samples = static_cast<double>(batches.samples());
    at.epochs = epoch;
    at.train_seconds += seconds;
    at.test_accuracy = evaluate_scores(model, data.test).accuracy();
    print_epoch(s.epochs, epoch, loss_sum / samples, right / samples, at.test_accuracy, samples / seconds);
    if (report.wants_step()) {
      const datasets::Batch first = batches.epoch(0)[0];
      report.take_time(train_step.plan(first.features, first.targets), first);
    }
    nn::Scores scores;
    scores.set("loss", loss_sum / samples);
    scores.set("accuracy", right / samples);
    scores.set("test_accuracy", at.test_accuracy);
    scores.set("learning_rate", optimizer->learning_rate().item());
    scores.set("seconds", seconds);
    report.end_epoch(scores);
    if (!s.checkpoint.empty()) {
      write_checkpoint(s, model, *optimizer, at, report.record());
    }
  }

  report.finish();
  print_result(s, model, data, at.test_accuracy, s.epochs, at.train_seconds);
}

// A Trainer cannot go on from what the loop above has written.
void require_of_trainer(const std::string& checkpoint) {
  if (!checkpoint.empty() && std::filesystem::exists(checkpoint) && nn::read_saved(checkpoint).contains("settings")) {
    throw ValueError(
        "[train] " + checkpoint +
        " was made by one process without --shards; start this without mpirun and --shards, or give another "
        "file");
  }
}

// The same by a Trainer, which cuts batches into shards, and has several processes train together.
void train_together(const Settings& s, const std::shared_ptr<const nn::Ranks>& world) {
  const auto data = datasets::FashionMnist::load(s.data);
  const nn::Sequential model = make_model(s, datasets::FashionMnist::image_size, datasets::FashionMnist::class_count);
  nn::Trainer trainer(model, std::shared_ptr<nn::Optimizer>(make_optimizer(s, model.parameters())), nn::cross_entropy,
                      {.metrics = {nn::Accuracy()},
                       .batches = {.batch_size = s.batch_size, .seed = s.seed},
                       .world = world,
                       .shards = s.shards,
                       .products = product_precision(s.products)});
  const bool is_root = !world || world->is_root();
  const auto samples = static_cast<double>(data.train.size());
  const nn::Callback lines{.on_start = [&](nn::TrainingState&) { print_size(data, model); },
                           .on_epoch_end =
                               [&](nn::TrainingState& t) {
                                 print_epoch(s.epochs, t.epoch, t.scores["loss"], t.scores["accuracy"],
                                             t.scores["validation_accuracy"], samples / t.scores["seconds"]);
                               },
                           .name = "lines",
                           .save = [](nn::Saved&) {},
                           .load = [](const nn::Saved&) {},
                           .root_only = true};
  const std::int64_t steps = s.epochs * ((data.train.size() + s.batch_size - 1) / s.batch_size);
  nn::FitOptions options{
      .epochs = s.epochs,
      .validation = data.test,
      .callbacks = {nn::callbacks::schedule(nn::schedules::linear(initial_rate(s), 0, steps)), lines},
      .progress = nn::Progress::quiet};
  if (!s.report.empty()) {
    options.callbacks.push_back(
        nn::callbacks::report(s.report, {.class_names = {data.class_names.begin(), data.class_names.end()}}));
  }
  require_of_trainer(s.checkpoint);
  if (!s.checkpoint.empty()) {
    options.callbacks.push_back(nn::callbacks::checkpoint(s.checkpoint));
    options.resume = nn::find_checkpoint(s.checkpoint);
  }
  const nn::History history = trainer.fit(data.train, options);
  if (is_root) {
    double seconds = 0;
    for (const double each : history["seconds"]) {
      seconds += each;
    }
    if (history.epochs.empty()) {
      std::printf("%s\n", history.stopped.c_str());
      return;
    }
    print_result(s, model, data, history["validation_accuracy"].back(), static_cast<int>(history.epochs.size()),
                 seconds);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  Flags flags("Trains a multilayer perceptron on Fashion-MNIST.");
  add_options(flags, settings);
  if (const auto code = flags.parse(argc, argv)) {
    return *code;
  }
  try {
    if (settings.threads > 0) {
      runtime::set_num_threads(settings.threads);
    }
    if (settings.recipe.empty()) {
      settings.epochs = settings.epochs > 0 ? settings.epochs : 10;
      with_world(argc, argv, [&](const std::shared_ptr<const nn::Ranks>& world) {
        settings.shards > 0 || world ? train_together(settings, world) : train(settings);
      });
    } else {
      Recipe recipe = find_recipe(settings.recipe);
      if (settings.epochs > 0) {
        recipe.epochs = settings.epochs;
      }
      with_world(argc, argv, [&](const std::shared_ptr<const nn::Ranks>& world) {
        if (world) {
          throw ValueError("[train] a recipe trains in one process; start it without mpirun");
        }
        train_by_recipe(recipe, {settings.data, settings.seed, settings.ensemble, settings.validate,
                                 product_precision(settings.products)});
      });
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
