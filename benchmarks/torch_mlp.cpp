// The same training with libtorch, PyTorch's C++ library.

#include <chrono>
#include <cstdlib>
#include <memory>

#include <ATen/autocast_mode.h>
#include <torch/torch.h>

#include "benchmarks/task.hpp"

namespace {

using benchmarks::Rates;

torch::nn::Sequential make_model(const benchmarks::Task& task) {
  torch::nn::Sequential model;
  const torch::NoGradGuard no_grad;
  for (const benchmarks::Weights& weights : task.layers) {
    torch::nn::Linear linear(weights.inputs, weights.outputs);
    const auto weight = torch::tensor(weights.weight).reshape({weights.inputs, weights.outputs});
    linear->weight.copy_(weight.t());
    linear->bias.copy_(torch::tensor(weights.bias));
    model->push_back(linear);
    if (&weights != &task.layers.back()) {
      model->push_back(torch::nn::ReLU());
    }
  }
  return model;
}

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const std::string& name, torch::nn::Sequential& model) {
  if (name == "sgd") {
    return std::make_unique<torch::optim::SGD>(model->parameters(),
                                               torch::optim::SGDOptions(Rates::sgd).momentum(Rates::momentum));
  }
  return std::make_unique<torch::optim::Adam>(model->parameters(), torch::optim::AdamOptions(Rates::adam));
}

/// While it lives, products of the forward pass, and so those of the backward pass, have factors and results in bfloat16.
class Autocast {
 public:
  explicit Autocast(bool enabled) : enabled_(enabled) {
    if (enabled_) {
      at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
      at::autocast::set_cpu_enabled(true);
    }
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;
  ~Autocast() {
    if (enabled_) {
      at::autocast::set_cpu_enabled(false);
      at::autocast::clear_cache();  // weights as they were before the update
    }
  }

 private:
  bool enabled_;
};

void run(const benchmarks::Settings& settings) {
  const benchmarks::Task task = benchmarks::make_task(settings);
  torch::set_num_threads(settings.threads);
  const auto samples = static_cast<std::int64_t>(task.labels.size());
  const auto images =
      torch::tensor(task.images).reshape({samples, benchmarks::image_size}).to(torch::kFloat32).div_(255);
  const auto labels = torch::tensor(task.labels);
  auto model = make_model(task);
  const auto optimizer = make_optimizer(settings.optimizer, model);
  for (int epoch = 0; epoch < settings.epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    const auto order = torch::tensor(task.order_of(epoch));
    auto loss_sum = torch::zeros({});
    for (std::int64_t step = 0; step < task.steps; ++step) {
      const auto batch = order.slice(0, step * settings.batch_size, (step + 1) * settings.batch_size);
      const auto loss = [&] {
        const Autocast scope(settings.mode == "bfloat16");
        const auto logits = model->forward(images.index_select(0, batch));
        return torch::nn::functional::cross_entropy(logits, labels.index_select(0, batch));
      }();
      optimizer->zero_grad();
      loss.backward();
      optimizer->step();
      loss_sum += loss.detach();
    }
    const double mean_loss = loss_sum.item<double>() / task.steps;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    benchmarks::report(epoch, seconds, static_cast<double>(task.steps) * settings.batch_size, mean_loss);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return benchmarks::run_program(argc, argv, "Measures libtorch: eager, or with autocast: bfloat16",
                                 {"eager", "bfloat16"}, run);
}
