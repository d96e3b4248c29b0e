// A training loop with everything in it, written out: a compiled step, a learning rate that warms up and falls, gradients
// clipped by their norm, and a moving average of the weights, which is what is evaluated.

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

#include "flags.hpp"

using namespace xgrad;

namespace {

constexpr double max_norm = 1.0;

// A model and what trains it. All that changes from step to step lives in variables, so a step can be compiled.
struct Run {
  nn::Sequential model{nn::Dense(datasets::FashionMnist::image_size, 128), nn::ReLU(),
                       nn::Dense(128, datasets::FashionMnist::class_count)};
  nn::AdamW adamw{model.parameters()};
  nn::ExponentialMovingAverage average{model.parameters(), {.decay = 0.995, .bias_correction = true}};

  Run() { model.initialize(random::Key(0)); }

  // The loss, and the norm of the gradients before they were clipped.
  std::pair<Tensor, Tensor> step(const Tensor& images, const Tensor& labels) {
    const Tensor loss = nn::cross_entropy(model(images), labels, {.label_smoothing = 0.05});
    const nn::Variables weights = model.parameters();
    const Tensors gradients = grad(loss, Tensors(weights.begin(), weights.end()));
    adamw.step(nn::clip_by_global_norm(gradients, max_norm));
    average.update();
    return {loss, nn::global_norm(gradients)};
  }

  auto compiled_step() {
    return compile([this](const Tensor& images, const Tensor& labels) { return step(images, labels); });
  }
};

// Whether some compiled steps do what the same steps do without compile.
bool compiles_faithfully(const datasets::Epoch& batches) {
  Run plain, traced;
  const auto traced_step = traced.compiled_step();
  bool same = true;
  for (std::int64_t i = 0; i < 5; ++i) {
    const auto [images, labels] = batches[i];
    const auto [loss, length] = plain.step(images, labels);
    const auto [traced_loss, traced_length] = traced_step(images, labels);
    same = same && allclose(loss, traced_loss, 1e-4) && allclose(length, traced_length, 1e-3);
  }
  return same;
}

bool run(const std::string& folder, int epochs) {
  const auto data = datasets::FashionMnist::load(folder);
  const datasets::Batches batches(data.train, {.batch_size = 64, .drop_last = true});
  const auto test = datasets::Batches(data.test, {.batch_size = 10000, .shuffle = false}).epoch(0)[0];
  const bool faithful = compiles_faithfully(batches.epoch(0));

  Run training;
  const auto step = training.compiled_step();
  const nn::Schedule rate = nn::schedules::warm_up(100, nn::schedules::cosine(2e-3, epochs * batches.count()));
  double accuracy = 0;
  std::int64_t count = 0;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    double loss_sum = 0, longest = 0;
    for (const auto& [images, labels] : batches.epoch(epoch)) {
      training.adamw.learning_rate().assign(rate(count++));
      const auto [loss, length] = step(images, labels);
      loss_sum += loss.item();
      longest = std::max(longest, length.item());
    }
    const double newest = nn::accuracy(training.model(test.features), test.targets);
    const auto swapped = training.average.swap();  // until the end of this epoch's block
    accuracy = nn::accuracy(training.model(test.features), test.targets);
    std::printf("epoch %d/%d  loss %.4f  longest gradient %.2f  test accuracy %.4f, of the average %.4f\n", epoch,
                epochs, loss_sum / static_cast<double>(batches.count()), longest, newest, accuracy);
  }
  const bool good = faithful && accuracy > 0.83;
  std::printf("%s\n", good ? "check: compiled steps do what plain ones do, and the average has learnt"
                           : "check failed: compiled steps differ, or the accuracy is too low");
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder;
  int epochs = 5;
  Flags flags("Trains a classifier of Fashion-MNIST images with a loop of its own.");
  flags.add("--data", folder, "Folder of the four IDX files [XGRAD_DATA, or the Debian package's]");
  flags.add("--epochs", epochs, "Passes over the training images").range(1, 1000);
  if (const auto code = flags.parse(argc, argv)) {
    return *code;
  }
  try {
    return run(folder, epochs) ? 0 : 1;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
