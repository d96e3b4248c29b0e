// Trains a multilayer perceptron on Fashion-MNIST with xgrad, and prints nothing but how fast each epoch was; or says what
// more cores would do for a step.

#include <chrono>
#include <iostream>
#include <memory>

#include <autograd/autograd.hpp>
#include <autograd/runtime/workers.hpp>

#include "benchmarks/model.hpp"

using namespace xgrad;
using benchmarks::Rates;
using benchmarks::Settings;

namespace {

constexpr int scaling_repetitions = 30;

std::unique_ptr<nn::Optimizer> make_optimizer(const std::string& name, const nn::Variables& parameters) {
  if (name == "sgd") {
    return std::make_unique<nn::SGD>(parameters,
                                     nn::SGDOptions{.learning_rate = Rates::sgd, .momentum = Rates::momentum});
  }
  return std::make_unique<nn::Adam>(parameters, nn::AdamOptions{.learning_rate = Rates::adam});
}

void run(const Settings& s) {
  runtime::set_num_threads(s.threads);
  const datasets::Batches batches = benchmarks::make_batches(s);
  const int steps = benchmarks::count_steps(s, batches);
  const nn::Sequential model = benchmarks::make_model(s.hidden);
  const auto optimizer = make_optimizer(s.optimizer, model.parameters());
  const auto eager_step = [&](const Tensor& images, const Tensor& labels) {
    const Tensor loss = nn::cross_entropy(model(images), labels);
    optimizer->minimize(loss);
    return loss;
  };
  const auto compiled_step = compile(eager_step, {.products = product_precision(s.products)});
  if (s.mode == "scaling") {
    const auto [images, labels] = batches.epoch(0)[0];
    std::cout << compiled_step.plan(images, labels).scaling({images, labels}, scaling_repetitions);
    return;
  }
  const bool compiled = s.mode == "compiled";
  for (int epoch = 0; epoch < s.epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    double loss_sum = 0;
    const datasets::Epoch shuffled = batches.epoch(epoch);
    for (int step = 0; step < steps; ++step) {
      const auto [images, labels] = shuffled[step];
      const Tensor loss = compiled ? compiled_step(images, labels) : eager_step(images, labels);
      loss_sum += loss.item();
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    benchmarks::report(epoch, seconds, static_cast<double>(steps) * s.batch_size, loss_sum / steps);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return benchmarks::run_program(argc, argv, "Measures xgrad: compiled, or eager (define-by-run); or predicts: scaling",
                                 {"compiled", "eager", "scaling"}, run);
}
