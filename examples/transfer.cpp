// Transfer: a network that tells ten kinds of clothes apart learns to answer another question, where they are worn, for
// which there are answers to a few images only.
//
//   1. Train a classifier on many images of ten classes.
//   2. Give its hidden layers to a new network, with a last layer of its own, by state() and load_state().
//   3. Freeze them, and train the last layer; then unfreeze, and fine-tune everything with small steps.

#include <array>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

#include "flags.hpp"

using namespace xgrad;

namespace {

// Where the ten classes are worn: 0 above, 1 on legs, 2 all over, 3 on feet, 4 in the hand.
constexpr std::array<std::int64_t, 10> worn = {0, 1, 0, 2, 0, 3, 0, 3, 4, 3};
constexpr std::int64_t places = 5;

// Some images in a row.
datasets::Dataset part(const datasets::Dataset& data, std::int64_t from, std::int64_t count) {
  std::vector<std::int64_t> positions(static_cast<std::size_t>(count));
  std::iota(positions.begin(), positions.end(), from);
  return data.take(positions);
}

// The same images, labelled by where things are worn.
datasets::Dataset by_place(const datasets::Dataset& data) {
  return {data.features(), take(Tensor(std::vector<std::int64_t>(worn.begin(), worn.end())), data.targets()).array()};
}

nn::Sequential make_network(std::int64_t classes, std::uint64_t seed) {
  nn::Sequential model(nn::Dense(datasets::FashionMnist::image_size, 128), nn::ReLU(), nn::Dense(128, 64), nn::ReLU(),
                       nn::Dense(64, classes));
  model.initialize(random::Key(seed));
  return model;
}

// Trains what is not frozen.
void fit(const nn::Sequential& model, const datasets::Dataset& data, double rate, int epochs, std::int64_t batch_size) {
  nn::Adam adam(model.parameters(), {.learning_rate = rate});
  const auto step = compile(
      [&](const Tensor& images, const Tensor& labels) { adam.minimize(nn::cross_entropy(model(images), labels)); });
  const datasets::Batches batches(data, {.batch_size = batch_size});
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (const auto& [images, labels] : batches.epoch(epoch)) {
      step(images, labels);
    }
  }
}

double accuracy_on(const nn::Sequential& model, const datasets::Dataset& data) {
  const auto [images, labels] = datasets::Batches(data, {.batch_size = data.size(), .shuffle = false}).epoch(0)[0];
  return nn::accuracy(model(images), labels);
}

// The variables of all layers but the last come from `source`, which has the same ones.
void load_features(const nn::Sequential& target, const nn::Sequential& source) {
  nn::State state = target.state();
  const std::string last = std::to_string(target.size() - 1) + ".";
  for (const auto& [name, elements] : source.state()) {
    if (!name.starts_with(last)) {
      state.at(name) = elements;
    }
  }
  target.load_state(state);
}

bool run(const std::string& folder, std::int64_t images, std::int64_t few) {
  const auto data = datasets::FashionMnist::load(folder);
  const auto train = by_place(part(data.train, images, few));  // none that the teacher has seen
  const auto test = by_place(data.test);

  const nn::Sequential teacher = make_network(datasets::FashionMnist::class_count, 0);
  fit(teacher, part(data.train, 0, images), 1e-3, 3, 64);

  const nn::Sequential scratch = make_network(places, 1);
  fit(scratch, train, 1e-3, 40, 8);

  const nn::Sequential model = make_network(places, 1);
  load_features(model, teacher);
  const std::array<std::size_t, 2> hidden = {0, 2};
  for (const std::size_t layer : hidden) {
    model[layer].freeze();
  }
  std::printf("%d of %d numbers are trained at first\n", static_cast<int>(model.parameter_count()),
              static_cast<int>(scratch.parameter_count()));
  fit(model, train, 1e-2, 40, 8);
  const bool kept = allclose(model.variables()[0], teacher.variables()[0], 0, 0);
  const double frozen_accuracy = accuracy_on(model, test);
  for (const std::size_t layer : hidden) {
    model[layer].unfreeze();
  }
  fit(model, train, 1e-4, 10, 8);

  const double scratch_accuracy = accuracy_on(scratch, test);
  const double accuracy = accuracy_on(model, test);
  std::printf("where it is worn, from %d images: from scratch %.4f, last layer alone %.4f, fine-tuned %.4f\n",
              static_cast<int>(train.size()), scratch_accuracy, frozen_accuracy, accuracy);
  const bool good = kept && frozen_accuracy > scratch_accuracy && accuracy > scratch_accuracy;
  std::printf("%s\n", good ? "check: frozen layers stayed as they were, and what they know helps"
                           : "check failed: frozen layers changed, or transfer does not help");
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder;
  std::int64_t images = 20000, few = 50;
  Flags flags("Transfers weights between two classifiers of Fashion-MNIST images.");
  flags.add("--data", folder, "Folder of the four IDX files [XGRAD_DATA, or the Debian package's]");
  flags.add("--images", images, "To train the first network with").range(100, 48000);
  flags.add("--few", few, "Images with answers to the new question").range(8, 12000);
  if (const auto code = flags.parse(argc, argv)) {
    return *code;
  }
  try {
    return run(folder, images, few) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
