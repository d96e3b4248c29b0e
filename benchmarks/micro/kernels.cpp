// Kernels against what the machine can do: copying memory, multiplying and adding in registers, and a large product. Each
// runs as a compiled function, once with operands in the second-level cache and once in main memory.

#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <cblas.h>

#include "autograd/kernels/kernels.hpp"
#include "benchmarks/micro/micro.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t columns = 256;

/// An op on a matrix, and how many elements it reads and writes for each element of the matrix.
struct Kernel {
  const char* name;
  std::function<Tensor(const Tensor&)> op;
  double traffic;
};

const std::vector<Kernel> all_kernels = {
    {"Negative", [](const Tensor& x) { return -x; }, 2},
    {"Relu", [](const Tensor& x) { return relu(x); }, 2},
    {"Exp", [](const Tensor& x) { return exp(x); }, 2},
    {"Tanh", [](const Tensor& x) { return tanh(x); }, 2},
    {"Gelu", [](const Tensor& x) { return gelu(x); }, 2},
    {"Sum", [](const Tensor& x) { return sum(x); }, 1},
    {"SumOfColumns", [](const Tensor& x) { return sum(x, 0); }, 1},
    {"SumOfRows", [](const Tensor& x) { return sum(x, 1); }, 1},
    {"Argmax", [](const Tensor& x) { return argmax(x, 1); }, 1},
    {"Softmax", [](const Tensor& x) { return softmax(x); }, 2},
    {"Cumsum", [](const Tensor& x) { return cumsum(x, 1); }, 2},
    {"Transpose", [](const Tensor& x) { return transpose(x) * 2; }, 4},
};

void run_kernel(benchmark::State& state, const Kernel& kernel) {
  const Tensor x = micro::numbers({state.range(0) / columns, columns});
  const auto f = compile(kernel.op);
  micro::run(state, f, x);
  micro::report_rate(state, "bytes", kernel.traffic * static_cast<double>(state.range(0)) * sizeof(float));
}

void CopyMemory(benchmark::State& state) {
  const std::vector<float> from(static_cast<std::size_t>(state.range(0)));
  std::vector<float> to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size() * sizeof(float));
    benchmark::ClobberMemory();
  }
  micro::report_rate(state, "bytes", 2 * static_cast<double>(from.size()) * sizeof(float));
}

void Product(benchmark::State& state) {
  const auto m = state.range(0), k = state.range(1), n = state.range(2);
  const Tensor a = micro::numbers({m, k}, 1);
  const Tensor b = micro::numbers({k, n}, 2);
  const auto f = compile([](const Tensor& x, const Tensor& y) { return matmul(x, y); });
  micro::run(state, f, a, b);
  micro::report_rate(state, "flops", 2.0 * static_cast<double>(m * k * n));
}

// The most that a product could reach, in float32.
void Peak(benchmark::State& state) {
  constexpr std::int64_t repetitions = 10'000;
  double operations = 0;
  for (auto _ : state) {
    operations = kernels::multiply_and_add(DType::float32, repetitions);
  }
  micro::report_rate(state, "flops", operations);
}

// What OpenBLAS reaches at a size that suits it.
void LargeProductByBlas(benchmark::State& state) {
  constexpr int side = 1024;
  const std::vector<float> a(side * side, 1.0F);
  std::vector<float> c(a.size());
  for (auto _ : state) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, side, side, side, 1, a.data(), side, a.data(), side, 0,
                c.data(), side);
    benchmark::ClobberMemory();
  }
  micro::report_rate(state, "flops", 2.0 * side * side * side);
}

constexpr std::int64_t in_cache = 64 * 1024;
constexpr std::int64_t in_memory = 16 * 1024 * 1024;

BENCHMARK(CopyMemory)->Arg(in_cache)->Arg(in_memory);
BENCHMARK(LargeProductByBlas);
BENCHMARK(Product)->Args({32, 784, 128})->Args({784, 32, 128})->Args({128, 784, 512})->Args({1024, 1024, 1024});

[[maybe_unused]] const bool registered = [] {
  if (std::string_view(kernels::instruction_set()) != "baseline") {  // which leaves products to OpenBLAS
    benchmark::RegisterBenchmark("Peak", Peak);
  }
  for (const Kernel& kernel : all_kernels) {
    benchmark::RegisterBenchmark((std::string("Kernel") + kernel.name).c_str(), run_kernel, kernel)
        ->Arg(in_cache)
        ->Arg(in_memory);
  }
  return true;
}();

}  // namespace
