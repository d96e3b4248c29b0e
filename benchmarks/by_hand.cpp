// The same training written by hand on OpenBLAS, for this network alone: how fast it can be. With the kernels that xgrad
// makes OpenBLAS use, so that what is compared is everything else.

#include <chrono>

#include <autograd/runtime/blas.hpp>

#include "benchmarks/by_hand/simple.hpp"
#include "benchmarks/by_hand/slabs.hpp"

namespace {

template <class Trainer>
void train(Trainer trainer, const benchmarks::Task& task, const benchmarks::Settings& settings) {
  for (int epoch = 0; epoch < settings.epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    const double loss = trainer.run_epoch(task.order_of(epoch));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    benchmarks::report(epoch, seconds, static_cast<double>(task.steps) * settings.batch_size, loss / task.steps);
  }
}

void run(const benchmarks::Settings& settings) {
  xgrad::runtime::prepare_blas();
  const benchmarks::Task task = benchmarks::make_task(settings);
  if (settings.mode == "simple") {
    train(by_hand::SimpleTrainer(task, settings), task, settings);
    return;
  }
  by_hand::SlabTrainer trainer(task, settings, settings.mode == "products");
  train<by_hand::SlabTrainer&>(trainer, task, settings);
}

}  // namespace

int main(int argc, char** argv) {
  return benchmarks::run_program(
      argc, argv,
      "Measures training by hand: slabs (the best schedule known), simple (one loop after the "
      "other), products (nothing but the matrix products of slabs)",
      {"slabs", "simple", "products"}, run);
}
