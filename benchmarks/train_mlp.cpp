// Trains a multilayer perceptron on Fashion-MNIST and prints nothing but how fast each epoch was.
//
// 784 inputs, 10 classes, ReLU, cross-entropy; Adam at 1e-3, SGD at 0.05 with momentum 0.9; only whole batches.

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <autograd/autograd.hpp>
#include <autograd/runtime/workers.hpp>
#include <datasets/datasets.hpp>
#include <nn/nn.hpp>

using namespace xgrad;

namespace {

struct Settings {
  std::vector<int> hidden = {128};
  int batch_size = 32;
  std::string optimizer = "adam";
  std::string mode = "compiled";
  int epochs = 3;
  int threads = 1;
  std::string data;
};

nn::Sequential make_model(const std::vector<int>& hidden) {
  const nn::DenseOptions options{.initializer = nn::init::he_uniform};
  nn::Sequential model;
  std::int64_t size = datasets::FashionMnist::image_size;
  for (const int width : hidden) {
    model.append(nn::Dense(size, width, options));
    model.append(nn::ReLU());
    size = width;
  }
  model.append(nn::Dense(size, datasets::FashionMnist::class_count, options));
  model.initialize(random::Key(0));
  return model;
}

std::unique_ptr<nn::Optimizer> make_optimizer(const std::string& name, const nn::Variables& parameters) {
  if (name == "sgd") {
    return std::make_unique<nn::SGD>(parameters, nn::SGDOptions{.learning_rate = 0.05, .momentum = 0.9});
  }
  return std::make_unique<nn::Adam>(parameters, nn::AdamOptions{.learning_rate = 1e-3});
}

void run(const Settings& s) {
  runtime::set_num_threads(s.threads);
  const auto data = datasets::FashionMnist::load(s.data);
  const datasets::Batches batches(data.train, {.batch_size = s.batch_size, .drop_last = true});
  const nn::Sequential model = make_model(s.hidden);
  const auto optimizer = make_optimizer(s.optimizer, model.parameters());
  const auto eager_step = [&](const Tensor& images, const Tensor& labels) {
    const Tensor loss = nn::cross_entropy(model(images), labels);
    optimizer->minimize(loss);
    return loss;
  };
  const auto compiled_step = compile(eager_step);
  const bool compiled = s.mode == "compiled";
  for (int epoch = 0; epoch < s.epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    double loss_sum = 0;
    for (const auto& [images, labels] : batches.epoch(epoch)) {
      const Tensor loss = compiled ? compiled_step(images, labels) : eager_step(images, labels);
      loss_sum += loss.item();
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto count = static_cast<double>(batches.count());
    std::printf("epoch %d seconds %.3f samples_per_second %.0f loss %.4f\n", epoch, seconds,
                count * s.batch_size / seconds, loss_sum / count);
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Settings s;
  CLI::App app("Measures the training of a multilayer perceptron.");
  app.add_option("--hidden", s.hidden, "Sizes of the hidden layers")->delimiter(',')->check(CLI::Range(1, 65536));
  app.add_option("--batch-size", s.batch_size, "Images per step")->check(CLI::Range(1, 60000));
  app.add_option("--optimizer", s.optimizer, "sgd or adam")->check(CLI::IsMember({"sgd", "adam"}));
  app.add_option("--mode", s.mode, "compiled, or eager: define-by-run")->check(CLI::IsMember({"compiled", "eager"}));
  app.add_option("--epochs", s.epochs, "Passes over the training images")->check(CLI::Range(1, 100000));
  app.add_option("--threads", s.threads, "Threads to use")->check(CLI::Range(1, 1024));
  app.add_option("--data", s.data, "Folder of the four IDX files");
  CLI11_PARSE(app, argc, argv);
  try {
    run(s);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
