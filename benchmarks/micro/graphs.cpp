// What a node of a graph costs where its elements cost nothing: to build, to differentiate, to compute define-by-run, and
// to run again as part of a plan.

#include "benchmarks/micro/micro.hpp"

using namespace xgrad;

namespace {

constexpr int chain_length = 100;

/// A chain of operations that no pass can shorten: two nodes for each link.
Tensor chain(Tensor x, int links) {
  for (int i = 0; i < links; ++i) {
    x = sin(x) * x;
  }
  return x;
}

void BuildNode(benchmark::State& state) {
  const Tensor x = micro::numbers({16});
  for (auto _ : state) {
    benchmark::DoNotOptimize(chain(x, chain_length));
  }
  micro::report_each(state, "per_node", 2 * chain_length);
}

void DifferentiateNode(benchmark::State& state) {
  const Tensor x = micro::numbers({16});
  const Tensor y = sum(chain(x, chain_length));
  for (auto _ : state) {
    benchmark::DoNotOptimize(grad(y, x));
  }
  micro::report_each(state, "per_node", 2 * chain_length);
}

// Building, differentiating and computing, as a training loop without compile does it.
void DefineByRunNode(benchmark::State& state) {
  const Tensor x = micro::numbers({16});
  for (auto _ : state) {
    const Tensor y = sum(chain(x, chain_length));
    micro::compute(grad(y, x));
  }
  micro::report_each(state, "per_node", 2 * chain_length);
}

void ReplayNode(benchmark::State& state) {
  const Tensor x = micro::numbers({16});
  const auto f = compile([](const Tensor& a) { return grad(sum(chain(a, chain_length)), a); });
  micro::run(state, f, x);
  micro::report_each(state, "per_node", 2 * chain_length);
}

void CompiledCallOfOneOp(benchmark::State& state) {
  const Tensor x = micro::numbers({16});
  const auto f = compile([](const Tensor& a) { return exp(a); });
  micro::run(state, f, x);
}

// A chain of kernels that are not fused: the difference between lengths is what one more kernel costs.
void UnfusedKernels(benchmark::State& state) {
  const auto kernels = static_cast<int>(state.range(0));
  CompileOptions options;
  options.plan.passes.fusion = false;
  const auto f = compile(
      [kernels](Tensor a) {
        for (int i = 0; i < kernels; ++i) {
          a = abs(a) + i;
        }
        return a;
      },
      options);
  const Tensor x = micro::numbers({16});
  micro::run(state, f, x);
  micro::report_each(state, "per_kernel", 2 * kernels);
}

void FusedKernels(benchmark::State& state) {
  const Tensor x = micro::numbers({state.range(0)});
  const auto f = compile([](const Tensor& a) { return tanh(a * a + 1) * a; });
  micro::run(state, f, x);
}

BENCHMARK(BuildNode);
BENCHMARK(DifferentiateNode);
BENCHMARK(DefineByRunNode);
BENCHMARK(ReplayNode);
BENCHMARK(CompiledCallOfOneOp);
BENCHMARK(UnfusedKernels)->Arg(1)->Arg(100);
BENCHMARK(FusedKernels)->Arg(16)->Arg(1024)->Arg(65536);

}  // namespace
