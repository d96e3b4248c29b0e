// Trains a classifier and writes what other programs need of it as ONNX files: the classifier itself; what each pixel of
// an image has to do with the answer, which is a gradient; and a step of training, with which another program fine-tunes.

#include <cstdio>
#include <filesystem>
#include <string>

#include <autograd/autograd.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>
#include <onnx/onnx.hpp>

#include "flags.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t pixels = datasets::FashionMnist::image_size;

// Images, as many as the other program has.
const Spec images = {{onnx::any_size, pixels}};
const Spec labels = {{onnx::any_size}, DType::int64};

void train(const nn::Sequential& model, const datasets::Dataset& data, int epochs) {
  nn::Adam adam(model.parameters());
  const auto step = compile([&](const Tensor& x, const Tensor& y) { adam.minimize(nn::cross_entropy(model(x), y)); });
  const datasets::Batches batches(data, {.batch_size = 64});
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (const auto& [x, y] : batches.epoch(epoch)) {
      step(x, y);
    }
  }
}

// d (largest logit) / d pixel, of each image.
void save_saliency(const std::filesystem::path& file, const nn::Sequential& model) {
  const auto saliency = [&](const Tensor& x) { return abs(grad(sum(amax(model(x), 1)), x)); };
  onnx::save(file, saliency, {images}, {.output_names = {"saliency"}, .variables = model.named_variables()});
}

// A step of stochastic gradient descent, and beside it what the variables begin with.
void save_step(const std::filesystem::path& file, const nn::Sequential& model) {
  nn::SGD sgd(model.parameters(), {.learning_rate = 0.01, .momentum = 0.9});
  const auto step = [&](const Tensor& x, const Tensor& y) {
    const Tensor loss = nn::cross_entropy(model(x), y);
    sgd.minimize(loss);
    return loss;
  };
  const onnx::Signature written =
      onnx::save(file, step, {images, labels},
                 {.input_names = {"images", "labels"}, .output_names = {"loss"}, .variables = model.named_variables()});
  nn::State first;
  for (const onnx::Updated& updated : written.updated) {
    first[updated.input] = updated.variable.read().array();
    std::printf("  %s -> %s\n", updated.input.c_str(), updated.output.c_str());
  }
  nn::write_safetensors(std::filesystem::path(file).replace_extension(".safetensors"), first);
}

}  // namespace

int main(int argc, char* argv[]) {
  int epochs = 5;
  std::string data_folder, folder = ".";
  Flags flags("Trains a classifier of Fashion-MNIST, and writes it, a gradient and a training step as ONNX files.");
  flags.add("--epochs", epochs, "Passes over the training images").range(1, 1000);
  flags.add("--data", data_folder, "Folder of the four IDX files [XGRAD_DATA, or the Debian package's]");
  flags.add("--folder", folder, "Where the files go");
  if (const auto code = flags.parse(argc, argv)) {
    return *code;
  }

  const auto data = datasets::FashionMnist::load(data_folder);
  const nn::Sequential model(nn::Dense(pixels, 128), nn::ReLU(), nn::Dense(128, datasets::FashionMnist::class_count));
  train(model, data.train, epochs);
  const auto test = datasets::Batches(data.test, {.batch_size = data.test.size(), .shuffle = false}).epoch(0)[0];
  const double accuracy = nn::accuracy(model(test.features), test.targets);
  std::printf("accuracy on the test images: %.4f\n", accuracy);

  const std::filesystem::path files = folder;
  std::filesystem::create_directories(files);
  const auto classifier = onnx::save(files / "classifier.onnx", model, {.input = images, .output_names = {"logits"}});
  std::printf("classifier.onnx: %s -> %s\n", classifier.inputs[0].c_str(), classifier.outputs[0].c_str());
  save_saliency(files / "saliency.onnx", model);
  std::printf("saliency.onnx: input -> saliency\nstep.onnx: feed these back\n");
  save_step(files / "step.onnx", model);
  return accuracy > 0.8 ? 0 : 1;
}
