// What a step of a Trainer takes on all ranks:  mpirun -n 2 --bind-to none build/release/benchmarks/ranked_steps --workload W1
//
// Prints the least and the median milliseconds of many steps: from the end of one to the end of the next, the gathering of
// its batch included. benchmarks/compare_ranks.py compares numbers of ranks, of threads, and of shards by it.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <autograd/autograd.hpp>
#include <autograd/runtime/workers.hpp>
#include <distributed/world.hpp>
#include <nn/nn.hpp>

#include "examples/flags.hpp"

using namespace xgrad;

namespace {

struct Workload {
  std::vector<std::int64_t> sizes;
  std::int64_t batch;
  std::function<std::shared_ptr<nn::Optimizer>(const nn::Variables&)> make_optimizer;
};

std::shared_ptr<nn::Optimizer> make_adam(const nn::Variables& parameters) {
  return std::make_shared<nn::Adam>(parameters);
}

std::shared_ptr<nn::Optimizer> make_momentum(const nn::Variables& parameters) {
  return std::make_shared<nn::SGD>(parameters, nn::SGDOptions{.learning_rate = 0.05, .momentum = 0.9});
}

// Those of docs/performance.md; W1 with a batch that is worth cutting.
const std::map<std::string, Workload>& workloads() {
  static const std::map<std::string, Workload> all = {
      {"W1", {{784, 128, 10}, 512, make_adam}},
      {"W3", {{784, 512, 256, 10}, 128, make_adam}},
      {"W4", {{784, 2048, 2048, 10}, 256, make_momentum}},
  };
  return all;
}

nn::Sequential make_network(const std::vector<std::int64_t>& sizes) {
  nn::Sequential model;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    model.append(nn::Dense(sizes[i], sizes[i + 1], {.initializer = nn::init::he_uniform}));
    if (i + 2 < sizes.size()) {
      model.append(nn::ReLU());
    }
  }
  model.initialize(random::Key(0));
  return model;
}

// Bytes and labels, as of images.
datasets::Dataset make_data(std::int64_t samples, std::int64_t features, std::int64_t classes) {
  const auto whole = [&](int key, const Shape& shape, std::int64_t end, DType dtype) {
    return cast(random::uniform(random::Key(key), shape, 0, static_cast<double>(end)), dtype).array();
  };
  return {whole(1, {samples, features}, 256, DType::uint8), whole(2, {samples}, classes, DType::int64)};
}

// Milliseconds of steps, but for the first ones, in which plans are made, and those that fill up the last epoch: the
// callback stops nothing, so that it may be silent, and ranks send no message for its sake.
std::vector<double> time_steps(const Workload& work, const std::shared_ptr<const nn::Ranks>& world, int shards,
                               int steps) {
  constexpr int first_ones = 3;
  constexpr int batches = 16;
  using Clock = std::chrono::steady_clock;
  const nn::Sequential model = make_network(work.sizes);
  nn::Trainer trainer(model, work.make_optimizer(model.parameters()), nn::cross_entropy,
                      {.batches = {.batch_size = work.batch}, .world = world, .shards = shards});
  std::vector<double> times;
  Clock::time_point last;
  const nn::Callback clock{.on_batch_start =
                               [&](nn::TrainingState& t) {
                                 if (t.batch == 1) {
                                   last = Clock::now();  // what is between epochs does not count
                                 }
                               },
                           .on_batch_end =
                               [&](nn::TrainingState& t) {
                                 const Clock::time_point now = Clock::now();
                                 if (t.step > first_ones && t.step <= first_ones + steps) {
                                   times.push_back(std::chrono::duration<double, std::milli>(now - last).count());
                                 }
                                 last = now;
                               },
                           .silent = true};
  trainer.fit(
      make_data(batches * work.batch, work.sizes.front(), work.sizes.back()),
      {.epochs = (first_ones + steps + batches - 1) / batches, .callbacks = {clock}, .progress = nn::Progress::quiet});
  return times;
}

}  // namespace

int main(int argc, char** argv) {
  std::string name = "W1";
  int shards = 0;
  int steps = 100;
  Flags flags("Measures what a step of a Trainer takes on all processes that mpirun starts.");
  flags.add("--workload", name, "784-128-10, 784-512-256-10 or 784-2048-2048-10").one_of({"W1", "W3", "W4"});
  flags.add("--shards", shards, "Into how many a batch is cut [it is not]").range(0, 4096);
  flags.add("--steps", steps, "How many are measured").range(1, 1000000);
  if (const auto code = flags.parse(argc, argv)) {
    return *code;
  }
  try {
    const distributed::World world(argc, argv);
    const Workload& work = workloads().at(name);
    std::vector<double> times = time_steps(work, world, shards, steps);
    std::sort(times.begin(), times.end());
    if (world.is_root()) {
      std::printf("%s batch=%d ranks=%d threads=%d shards=%d least=%.4f median=%.4f\n", name.c_str(),
                  static_cast<int>(work.batch), static_cast<int>(world.size()), runtime::num_threads(), shards,
                  times.front(), times[times.size() / 2]);
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
