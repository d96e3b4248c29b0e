#include "recipe.hpp"

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <map>
#include <utility>

#include <autograd/autograd.hpp>
#include <autograd/runtime/workers.hpp>

#include "measure.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t features = datasets::FashionMnist::image_size;
constexpr std::int64_t classes = datasets::FashionMnist::class_count;

const std::map<std::string, Recipe>& recipes() {
  static const std::map<std::string, Recipe> all = {
      {"best",
       {.hidden = {1024, 1024},
        .input_dropout = 0.05,
        .dropout = 0.15,
        .label_smoothing = 0.1,
        .weight_decay = 0.1,
        .largest_rate = 2e-3,
        .batch_size = 256,
        .epochs = 40,
        .augmented = true}},
      {"plain-best",
       {.hidden = {1024, 512},
        .input_dropout = 0.1,
        .dropout = 0.25,
        .label_smoothing = 0.1,
        .weight_decay = 0.1,
        .largest_rate = 2e-3,
        .batch_size = 256,
        .epochs = 20,
        .augmented = false}},
  };
  return all;
}

/// (x - mean) / deviation, for all pixels alike.
struct Standardize : nn::Layer<Standardize> {
  // Grey levels of images are bytes in the data set, and 0 to 1 in batches.
  explicit Standardize(const datasets::Normalizer& of_bytes)
      : mean(of_bytes.offset().data<double>()[0] / 255), deviation(of_bytes.scale().data<double>()[0] / 255) {}
  Tensor operator()(const Operand& x) const { return (x.tensor() - mean) / deviation; }
  double mean, deviation;
  static constexpr auto members = fields();
};

nn::Sequential make_network(const Recipe& recipe, const datasets::Dataset& train, random::Key key) {
  nn::Sequential network;
  network.append(Standardize(datasets::Normalizer::mean_std(train.features(), false)));
  network.append(nn::Dropout(recipe.input_dropout));
  std::int64_t size = features;
  for (const std::int64_t hidden : recipe.hidden) {
    // The normalisation takes away what a bias would add.
    network.append(nn::Dense(size, hidden, {.bias = false, .initializer = nn::init::he_uniform}));
    network.append(nn::BatchNorm(hidden));
    network.append(nn::GELU(true));
    network.append(nn::Dropout(recipe.dropout));
    size = hidden;
  }
  network.append(nn::Dense(size, classes));
  network.initialize(key);
  return network;
}

datasets::Batches make_batches(const Recipe& recipe, const datasets::Dataset& train, std::uint64_t seed) {
  std::vector<datasets::Augmentation> augment;
  if (recipe.augmented) {
    augment = {datasets::horizontal_flip()};
  }
  return datasets::Batches(train, {.batch_size = recipe.batch_size, .seed = seed, .augment = std::move(augment)});
}

nn::Sequential train_network(const Recipe& recipe, const datasets::Dataset& train, std::uint64_t seed,
                             ProductPrecision products) {
  const random::Key key(seed);
  const nn::Sequential network = make_network(recipe, train, key.fold(0));
  const datasets::Batches batches = make_batches(recipe, train, seed);
  nn::AdamW adamw(network.parameters(), {.weight_decay = recipe.weight_decay});
  const nn::Schedule rate =
      nn::schedules::one_cycle(recipe.largest_rate, recipe.epochs * batches.count(), {.rise = 0.2});

  const Variable steps(Tensor(std::int64_t{0}), "steps");
  const auto train_step = compile(
      [&](const Tensor& images, const Tensor& labels) {
        const Tensor logits = network(images, nn::Training(key.fold(1).fold(steps)));
        const Tensor loss = nn::cross_entropy(logits, labels, {.label_smoothing = recipe.label_smoothing});
        adamw.minimize(loss);
        steps.assign(steps + 1);
        return loss;
      },
      {.products = products});

  std::int64_t step = 0;
  for (int epoch = 1; epoch <= recipe.epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    double loss_sum = 0;
    for (const auto& [images, labels] : batches.epoch(epoch)) {
      adamw.learning_rate().assign(rate(step++));
      loss_sum += train_step(images, labels).item() * static_cast<double>(labels.size());
    }
    const auto samples = static_cast<double>(batches.samples());
    std::printf("epoch %d/%d  loss %.4f  %.0f samples/s\n", epoch, recipe.epochs, loss_sum / samples,
                samples / seconds_since(start));
    std::fflush(stdout);
  }
  return network;
}

/// The mean of the probabilities that networks give to the classes.
Tensor mean_probabilities(const std::vector<nn::Sequential>& networks, const Tensor& images) {
  Tensor total = softmax(networks.front()(images), -1);
  for (std::size_t i = 1; i < networks.size(); ++i) {
    total = total + softmax(networks[i](images), -1);
  }
  return total / static_cast<double>(networks.size());
}

}  // namespace

Recipe find_recipe(const std::string& name) { return recipes().at(name); }

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const auto& [name, recipe] : recipes()) {
    names.push_back(name);
  }
  return names;
}

void train_by_recipe(const Recipe& recipe, const RecipeRun& run) {
  const auto data = datasets::FashionMnist::load(run.data);
  const datasets::Split parts = run.validate
                                    ? datasets::split(data.train, {.fraction = 1.0 / 6, .seed = 1, .stratified = true})
                                    : datasets::Split(data);
  const char* const part = run.validate ? "validation" : "test";
  std::printf("%lld training and %lld %s images, %d thread%s\n", static_cast<long long>(parts.train.size()),
              static_cast<long long>(parts.test.size()), part, runtime::num_threads(),
              runtime::num_threads() == 1 ? "" : "s");

  std::vector<nn::Sequential> networks;
  nn::ConfusionMatrix matrix(classes);
  double train_seconds = 0;
  for (int i = 0; i < run.ensemble; ++i) {
    const std::uint64_t seed = run.seed + static_cast<std::uint64_t>(i);
    const auto start = std::chrono::steady_clock::now();
    networks.push_back(train_network(recipe, parts.train, seed, run.products));
    const double seconds = seconds_since(start);
    train_seconds += seconds;
    matrix = evaluate_scores([&](const Tensor& images) { return mean_probabilities(networks, images); }, parts.test);
    std::printf("seed %llu  %lld parameters  %.1f s  %s_accuracy %.4f  ensemble_accuracy %.4f\n",
                static_cast<unsigned long long>(seed), static_cast<long long>(networks.back().parameter_count()),
                seconds, part, evaluate_scores(networks.back(), parts.test).accuracy(), matrix.accuracy());
    std::fflush(stdout);
  }
  std::printf("\n%s\n%s\n", matrix.report(data.class_names).c_str(), matrix.table(data.class_names).c_str());
  std::printf("%s_accuracy=%.4f epochs=%d train_seconds=%.2f\n", part, matrix.accuracy(), recipe.epochs, train_seconds);
}
