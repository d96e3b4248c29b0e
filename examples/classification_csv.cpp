// Classification of your own data: a CSV file whose last column is a word.
//
// Three parts: one to train, one to decide when to stop, and one that is looked at once, at the end.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

using namespace xgrad;

namespace {

// Fruit as a scale and a camera might see them: mass, width and height scatter around a mean for each kind.
void write_fruit(const std::filesystem::path& path, int per_kind) {
  struct Kind {
    const char* name;
    double mass, width, height;
    std::vector<const char*> colours;
  };
  const std::vector<Kind> kinds = {{"apple", 170, 7.5, 7.2, {"red", "green", "yellow"}},
                                   {"lemon", 110, 6.2, 8.2, {"yellow", "yellow", "green"}},
                                   {"orange", 180, 7.6, 7.4, {"orange"}},
                                   {"pear", 175, 6.8, 9.5, {"green", "yellow"}}};
  std::mt19937 engine(0);
  std::normal_distribution<> normal(0, 1);
  std::ofstream file(path);
  file << "mass,width,height,colour,kind\n";
  for (int i = 0; i < per_kind; ++i) {
    for (const Kind& kind : kinds) {
      const double size = 1 + 0.08 * normal(engine);  // large fruit are large in every way
      file << kind.mass * size * size * size * (1 + 0.05 * normal(engine)) << ','
           << kind.width * size + 0.3 * normal(engine) << ',' << kind.height * size + 0.3 * normal(engine) << ','
           << kind.colours[engine() % kind.colours.size()] << ',' << kind.name << '\n';
    }
  }
}

datasets::CsvDataset read_fruit() {
  const auto path = std::filesystem::temp_directory_path() / ("xgrad-fruit-" + std::to_string(getpid()) + ".csv");
  write_fruit(path, 150);
  auto table = datasets::read_csv(path, {.target = "kind", .categorical = {"colour", "kind"}});
  std::filesystem::remove(path);
  return table;
}

double loss_on(const nn::Sequential& model, const datasets::Dataset& data) {
  return nn::cross_entropy(model(data.features()), data.targets()).item();
}

// Trains until the loss on the validation part has not fallen for a while, and goes back to the best weights.
void fit(const nn::Sequential& model, const datasets::Dataset& train, const datasets::Dataset& validation) {
  constexpr int patience = 10;
  nn::AdamW adamw(model.parameters(), {.learning_rate = 5e-3});
  const auto step = compile([&](const Tensor& x, const Tensor& y) { adamw.minimize(nn::cross_entropy(model(x), y)); });
  const datasets::Batches batches(train, {.batch_size = 16});
  nn::State best = model.state();
  double lowest = loss_on(model, validation);
  int best_epoch = 0;
  int epoch = 1;
  for (; epoch <= 200 && epoch - best_epoch <= patience; ++epoch) {
    for (const auto& [x, y] : batches.epoch(epoch)) {
      step(x, y);
    }
    if (const double loss = loss_on(model, validation); loss < lowest) {
      lowest = loss;
      best_epoch = epoch;
      best = model.state();
    }
  }
  model.load_state(best);
  std::printf("stopped after %d epochs; best was epoch %d with a validation loss of %.4f\n", epoch - 1, best_epoch,
              lowest);
}

bool run() {
  const auto table = read_fruit();
  const std::vector<std::string> names = table.class_names();
  const auto [rest, test] = datasets::split(table, {.fraction = 0.2, .stratified = true});
  const auto [train, validation] = datasets::split(rest, {.fraction = 0.25, .stratified = true});
  const auto normalizer = datasets::Normalizer::mean_std(train.features());

  const auto classes = static_cast<std::int64_t>(names.size());
  const auto features = static_cast<std::int64_t>(table.feature_names().size());
  nn::Sequential model(nn::Dense(features, 16), nn::ReLU(), nn::Dense(16, classes));
  model.initialize(random::Key(0));
  fit(model, normalizer(train), normalizer(validation));

  const datasets::Dataset unseen = normalizer(test);
  const Tensor scores = model(unseen.features());
  std::vector<nn::Metric> metrics = {nn::Accuracy(), nn::F1(classes)};
  for (nn::Metric& metric : metrics) {
    metric.update(scores, unseen.targets());
    std::printf("%s %.4f\n", metric.name().c_str(), metric.value());
  }
  nn::ConfusionMatrix matrix(classes);
  matrix.update(scores, unseen.targets());
  const std::vector<std::string_view> views(names.begin(), names.end());
  std::printf("\n%s\n%s\n", matrix.report(views).c_str(), matrix.table(views).c_str());

  // Only oranges are orange, so their colour has to be enough.
  const auto orange = static_cast<std::int64_t>(std::find(names.begin(), names.end(), "orange") - names.begin());
  const bool good = matrix.accuracy() > 0.9 && matrix.f1(orange) > 0.99;
  std::printf("%s\n", good ? "check: the kinds are told apart" : "check failed: too many mistakes");
  return good;
}

}  // namespace

int main() {
  try {
    return run() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
