// Trains a multilayer perceptron on Fashion-MNIST and reports how well it does on the test images.

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include <autograd/autograd.hpp>
#include <autograd/runtime/workers.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

#include "measure.hpp"
#include "recipe.hpp"

using namespace xgrad;

namespace {

struct Settings {
  std::vector<int> hidden = {128};
  int epochs = 10;
  int batch_size = 64;
  std::string optimizer = "adam";
  double learning_rate = 0;  // 0: the optimiser's own default
  double momentum = 0.9;
  std::string activation = "relu";
  std::uint64_t seed = 0;
  int threads = 0;  // 0: all processors
  std::string data;
  std::string recipe;  // empty: the network and settings above
  int ensemble = 1;
  bool validate = false;
};

// NaN and infinity pass CLI11's own checks of numbers.
std::string check_finite(const std::string& text) {
  return std::isfinite(std::strtod(text.c_str(), nullptr)) ? "" : "Value " + text + " is not finite";
}

void add_recipe_options(CLI::App& app, Settings& s) {
  CLI::Option* const recipe =
      app.add_option("--recipe", s.recipe, "Train for accuracy: best, or plain-best without augmentation")
          ->check(CLI::IsMember(recipe_names()));
  for (const char* const own :
       {"--hidden", "--batch-size", "--optimizer", "--learning-rate", "--momentum", "--activation"}) {
    recipe->excludes(app.get_option(own));
  }
  app.add_option("--ensemble", s.ensemble, "Networks of the recipe, whose probabilities are averaged")
      ->check(CLI::Range(1, 100))
      ->needs(recipe)
      ->capture_default_str();
  app.add_flag("--validate", s.validate, "Train on 5/6 of the training images, measure on the others")->needs(recipe);
}

void add_options(CLI::App& app, Settings& s) {
  app.add_option("--hidden", s.hidden, "Sizes of the hidden layers, such as 512,256")
      ->delimiter(',')
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_option("--epochs", s.epochs, "Passes over the training images; a recipe has a number of its own")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--batch-size", s.batch_size, "Images per step")->check(CLI::Range(1, 60000))->capture_default_str();
  app.add_option("--optimizer", s.optimizer, "How weights are updated")
      ->check(CLI::IsMember({"sgd", "adam"}))
      ->capture_default_str();
  app.add_option("--learning-rate", s.learning_rate, "At the start; it falls linearly to 0 [adam: 0.002, sgd: 0.05]")
      ->check(CLI::PositiveNumber)
      ->check(check_finite);
  app.add_option("--momentum", s.momentum, "Of sgd")
      ->check(CLI::Range(0.0, 1.0))
      ->check(check_finite)
      ->capture_default_str();
  app.add_option("--activation", s.activation, "Between the layers")
      ->check(CLI::IsMember({"relu", "tanh", "sigmoid"}))
      ->capture_default_str();
  app.add_option("--seed", s.seed, "Of initial weights and shuffling")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--threads", s.threads, "Threads to use [all processors]")->check(CLI::Range(1, 1024));
  app.add_option("--data", s.data, "Folder of the four IDX files [XGRAD_DATA, or the Debian package's]");
  add_recipe_options(app, s);
}

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

// On a terminal: a bar that grows in place. Elsewhere: nothing, the line per epoch says it all.
void show_progress(int epoch, std::int64_t step, std::int64_t steps, double loss) {
  static const bool terminal = isatty(STDOUT_FILENO) != 0;
  if (!terminal || (step % 32 != 0 && step != steps)) {
    return;
  }
  constexpr std::int64_t width = 30;
  const std::string bar(static_cast<std::size_t>(width * step / steps), '#');
  std::printf("\repoch %2d [%-30s] %3d%%  loss %.4f", epoch, bar.c_str(), static_cast<int>(100 * step / steps), loss);
  std::printf("%s", step == steps ? "\r\033[K" : "");
  std::fflush(stdout);
}

void train(const Settings& s) {
  const auto data = datasets::FashionMnist::load(s.data);
  const datasets::Batches batches(data.train, {.batch_size = s.batch_size, .seed = s.seed});
  constexpr std::int64_t classes = datasets::FashionMnist::class_count;

  const nn::Sequential model = make_model(s, datasets::FashionMnist::image_size, classes);
  const auto optimizer = make_optimizer(s, model.parameters());
  const nn::Schedule rate = nn::schedules::linear(initial_rate(s), 0, s.epochs * batches.count());
  std::printf("%lld training and %lld test images, %lld parameters, %d thread%s\n",
              static_cast<long long>(data.train.size()), static_cast<long long>(data.test.size()),
              static_cast<long long>(model.parameter_count()), runtime::num_threads(),
              runtime::num_threads() == 1 ? "" : "s");

  const auto train_step = compile([&](const Tensor& images, const Tensor& labels) {
    const Tensor logits = model(images);
    const Tensor loss = nn::cross_entropy(logits, labels);
    optimizer->minimize(loss);
    return std::pair(loss, logits);
  });

  double train_seconds = 0;
  double test_accuracy = 0;
  std::int64_t step = 0;
  for (int epoch = 1; epoch <= s.epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    double loss_sum = 0;
    double right = 0;
    std::int64_t batch = 0;
    for (const auto& [images, labels] : batches.epoch(epoch)) {
      optimizer->learning_rate().assign(rate(step++));
      const auto [loss, logits] = train_step(images, labels);
      const auto size = static_cast<double>(labels.size());
      loss_sum += loss.item() * size;
      right += nn::accuracy(logits, labels) * size;
      show_progress(epoch, ++batch, batches.count(), loss.item());
    }
    const double seconds = seconds_since(start);
    const auto samples = static_cast<double>(batches.samples());
    train_seconds += seconds;
    test_accuracy = evaluate_scores(model, data.test).accuracy();
    std::printf("epoch %d/%d  loss %.4f  train_accuracy %.4f  test_accuracy %.4f  %.0f samples/s\n", epoch, s.epochs,
                loss_sum / samples, right / samples, test_accuracy, samples / seconds);
    std::fflush(stdout);
  }

  const nn::ConfusionMatrix matrix = evaluate_scores(model, data.test);
  std::printf("\n%s\n%s\n", matrix.report(data.class_names).c_str(), matrix.table(data.class_names).c_str());
  std::printf("test_accuracy=%.4f epochs=%d train_seconds=%.2f\n", test_accuracy, s.epochs, train_seconds);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Trains a multilayer perceptron on Fashion-MNIST.");
  add_options(app, settings);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "%s; --help lists the options\n", error.what());
    return 2;
  }
  try {
    if (settings.threads > 0) {
      runtime::set_num_threads(settings.threads);
    }
    if (settings.recipe.empty()) {
      train(settings);
    } else {
      Recipe recipe = find_recipe(settings.recipe);
      if (app.count("--epochs") > 0) {
        recipe.epochs = settings.epochs;
      }
      train_by_recipe(recipe, {settings.data, settings.seed, settings.ensemble, settings.validate});
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
