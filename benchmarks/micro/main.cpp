// Micro-benchmarks:  micro --benchmark_filter=Kernel   (and the other options of Google Benchmark)

#include <benchmark/benchmark.h>

#include <autograd/runtime/blas.hpp>
#include <autograd/runtime/workers.hpp>

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  xgrad::runtime::set_num_threads(1);
  xgrad::runtime::prepare_blas();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
