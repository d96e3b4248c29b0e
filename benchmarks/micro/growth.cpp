// How the time of a training step grows with depth, width and batch, and what tracing and planning take.

#include <nn/nn.hpp>

#include "benchmarks/micro/micro.hpp"

using namespace xgrad;

namespace {

/// Dense layers of one width with ReLU between, trained by SGD on random numbers.
struct Training {
  Training(std::int64_t depth, std::int64_t width, std::int64_t batch)
      : model(make_model(depth, width)),
        sgd(model.parameters(), {.learning_rate = 1e-3}),
        x(micro::numbers({batch, width}, 1)),
        y(micro::numbers({batch, width}, 2)) {}

  static nn::Sequential make_model(std::int64_t depth, std::int64_t width) {
    nn::Sequential model;
    for (std::int64_t i = 0; i < depth; ++i) {
      model.append(nn::Dense(width, width));
      model.append(nn::ReLU());
    }
    return model;
  }

  Tensor step(const Tensor& inputs, const Tensor& targets) {
    const Tensor loss = nn::mse(model(inputs), targets);
    sgd.minimize(loss);
    return loss;
  }

  nn::Sequential model;
  nn::SGD sgd;
  Tensor x;
  Tensor y;
};

void run_compiled(benchmark::State& state, Training& training) {
  const auto step = compile([&](const Tensor& x, const Tensor& y) { return training.step(x, y); });
  micro::run(state, step, training.x, training.y);
}

void StepByDepth(benchmark::State& state) {
  Training training(state.range(0), 16, 16);
  run_compiled(state, training);
  micro::report_each(state, "per_layer", static_cast<double>(state.range(0)));
}

void DefineByRunStepByDepth(benchmark::State& state) {
  Training training(state.range(0), 16, 16);
  const auto step = [&](const Tensor& x, const Tensor& y) { return training.step(x, y); };
  micro::run(state, step, training.x, training.y);
  micro::report_each(state, "per_layer", static_cast<double>(state.range(0)));
}

void StepByWidth(benchmark::State& state) {
  Training training(2, state.range(0), 64);
  run_compiled(state, training);
  const auto width = static_cast<double>(state.range(0));
  micro::report_rate(state, "flops", 5 * 2 * 64 * width * width);  // the first layer's inputs need no gradient
}

void StepByBatch(benchmark::State& state) {
  Training training(2, 256, state.range(0));
  run_compiled(state, training);
  micro::report_rate(state, "flops", 5 * 2 * 256 * 256 * static_cast<double>(state.range(0)));
}

// Building the graph of a step and finding its schedule, as the first call with new shapes does.
void TraceAndPlan(benchmark::State& state) {
  Training training(state.range(0), 16, 16);
  for (auto _ : state) {
    const auto step = compile([&](const Tensor& x, const Tensor& y) { return training.step(x, y); });
    benchmark::DoNotOptimize(step.plan(training.x, training.y));
  }
  micro::report_each(state, "per_layer", static_cast<double>(state.range(0)));
}

BENCHMARK(StepByDepth)->RangeMultiplier(10)->Range(1, 1000)->Unit(benchmark::kMicrosecond);
BENCHMARK(DefineByRunStepByDepth)->RangeMultiplier(10)->Range(1, 1000)->Unit(benchmark::kMicrosecond);
BENCHMARK(StepByWidth)->RangeMultiplier(4)->Range(16, 1024)->Unit(benchmark::kMicrosecond);
BENCHMARK(StepByBatch)->RangeMultiplier(8)->Range(1, 512)->Unit(benchmark::kMicrosecond);
BENCHMARK(TraceAndPlan)->RangeMultiplier(10)->Range(1, 1000)->Unit(benchmark::kMicrosecond);

}  // namespace
