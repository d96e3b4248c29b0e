// Loops in the graph: what a step costs, whatever the number of steps, beside the products and the tanh of the same steps.

#include <cblas.h>

#include <cstddef>
#include <vector>

#include "benchmarks/micro/micro.hpp"

using namespace xgrad;

namespace {

constexpr std::int64_t batch = 32;
constexpr std::int64_t units = 64;

/// A cell h' = tanh(x W + h U + b), for a number of steps.
struct Cell {
  Tensor xs, w, u, b;
  Tensor first = zeros({batch, units});

  explicit Cell(std::int64_t steps)
      : xs(random::normal(random::Key(1), {steps, batch, units}).detach()),
        w((random::normal(random::Key(2), {units, units}) * 0.1).detach()),
        u((random::normal(random::Key(3), {units, units}) * 0.1).detach()),
        b(zeros({units})) {}

  Tensor loss(const Tensor& weight, const Tensor& recurrent, const Tensor& bias, const Tensor& x) const {
    const auto step = [&](const Tensor& h, const Tensor& slice) {
      return tanh(matmul(slice, weight) + matmul(h, recurrent) + bias);
    };
    return sum(square(scan(step, first, x)));
  }
};

void CellForward(benchmark::State& state) {
  const Cell cell(state.range(0));
  const auto f = [&](const Tensor& w, const Tensor& u, const Tensor& b, const Tensor& x) {
    return cell.loss(w, u, b, x);
  };
  micro::run(state, compile(f), cell.w, cell.u, cell.b, cell.xs);
}

void CellGradient(benchmark::State& state) {
  const Cell cell(state.range(0));
  const auto f = [&](const Tensor& w, const Tensor& u, const Tensor& b, const Tensor& x) {
    return cell.loss(w, u, b, x);
  };
  const auto gradient = compile(value_and_grad(f, std::vector<std::size_t>{0, 1, 2}));
  gradient(cell.w, cell.u, cell.b, cell.xs);
  for (auto _ : state) {
    benchmark::DoNotOptimize(gradient(cell.w, cell.u, cell.b, cell.xs));
  }
}

void CellPlan(benchmark::State& state) {
  const Cell cell(state.range(0));
  const auto f = [&](const Tensor& w, const Tensor& u, const Tensor& b, const Tensor& x) {
    return cell.loss(w, u, b, x);
  };
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        compile(value_and_grad(f, std::vector<std::size_t>{0, 1, 2})).plan(cell.w, cell.u, cell.b, cell.xs));
  }
}

// C (m, n) = A (m, k) B (k, n), C += A B, and C = A Bᵀ.
void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, bool transpose_a, const float* b,
              bool transpose_b, float* c, float onto) {
  cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
              static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), 1, a,
              static_cast<int>(transpose_a ? m : k), b, static_cast<int>(transpose_b ? k : n), onto, c,
              static_cast<int>(n));
}

/// The products of all steps by BLAS, and tanh of as many numbers.
struct Products {
  std::int64_t steps;
  std::size_t step = static_cast<std::size_t>(batch * units);
  std::vector<float> hidden, gradient, weights;

  explicit Products(std::int64_t count)
      : steps(count),
        hidden((static_cast<std::size_t>(count) + 1) * step, 0.1F),
        gradient((static_cast<std::size_t>(count) + 1) * step, 0.1F),
        weights(static_cast<std::size_t>(3 * units * units), 0.01F) {}

  void forward(const float* xs) {
    multiply(steps * batch, units, units, xs, false, weights.data(), false, hidden.data() + step, 0);
    for (std::size_t i = 0; i < static_cast<std::size_t>(steps); ++i) {
      multiply(batch, units, units, &hidden[i * step], false, weights.data(), false, &hidden[(i + 1) * step], 1);
    }
  }
  void backward(const float* xs) {
    for (std::size_t i = static_cast<std::size_t>(steps); i-- > 0;) {
      multiply(batch, units, units, &gradient[(i + 1) * step], false, weights.data(), true, &gradient[i * step], 0);
      for (std::size_t k = 0; k < step; ++k) {
        gradient[i * step + k] *= 1 - hidden[i * step + k] * hidden[i * step + k];
      }
    }
    float* sums = weights.data() + units * units;
    multiply(units, units, steps * batch, xs, true, gradient.data(), false, sums, 0);
    multiply(units, units, steps * batch, hidden.data(), true, gradient.data(), false, sums + units * units, 0);
  }
};

void by_blas(benchmark::State& state, bool backward) {
  const Cell cell(state.range(0));
  const float* xs = cell.xs.array().data<float>();
  Products products(state.range(0));
  const auto squash = compile([](const Tensor& x) { return tanh(x); });
  for (auto _ : state) {
    products.forward(xs);
    benchmark::DoNotOptimize(squash(cell.xs));
    if (backward) {
      products.backward(xs);
    }
    benchmark::ClobberMemory();
  }
}
void CellForwardByBlas(benchmark::State& state) { by_blas(state, false); }
void CellGradientByBlas(benchmark::State& state) { by_blas(state, true); }

// Steps that take less than a call of a plan.
void ShortSteps(benchmark::State& state) {
  const Tensor start = linspace(0.1, 0.8, 8, DType::float64).detach();
  const std::int64_t steps = state.range(0);
  micro::run(state, compile([steps](const Tensor& s) {
               return fori(
                   steps, [](const Tensor&, const Tensor& c) { return c + 0.001 * sin(c); }, s);
             }),
             start);
}

BENCHMARK(CellForward)->Arg(100)->Arg(1000)->Arg(10000)->Unit(benchmark::kMicrosecond);
BENCHMARK(CellForwardByBlas)->Arg(100)->Arg(1000)->Arg(10000)->Unit(benchmark::kMicrosecond);
BENCHMARK(CellGradient)->Arg(100)->Arg(1000)->Arg(10000)->Unit(benchmark::kMicrosecond);
BENCHMARK(CellGradientByBlas)->Arg(100)->Arg(1000)->Arg(10000)->Unit(benchmark::kMicrosecond);
BENCHMARK(CellPlan)->Arg(100)->Arg(100000)->Unit(benchmark::kMicrosecond);
BENCHMARK(ShortSteps)->Arg(1000)->Arg(1000000)->Unit(benchmark::kMicrosecond);

}  // namespace
