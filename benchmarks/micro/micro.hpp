#pragma once

#include <cstdint>

#include <benchmark/benchmark.h>

#include <autograd/autograd.hpp>

/// \file
/// What the micro-benchmarks share. They run on one thread unless their name says otherwise.

namespace micro {

/// Uniform numbers in [0, 1), computed.
inline xgrad::Tensor numbers(const xgrad::Shape& shape, std::uint64_t key = 0) {
  return xgrad::Tensor(xgrad::random::uniform(xgrad::random::Key(key), shape).array());
}

/// Makes the elements be computed.
inline void compute(const xgrad::Tensor& tensor) { benchmark::DoNotOptimize(tensor.array().data()); }

/// Measures calls of a compiled function, after one that traces it.
template <class F, class... Arguments>
void run(benchmark::State& state, const F& f, const Arguments&... arguments) {
  compute(f(arguments...));
  for (auto _ : state) {
    compute(f(arguments...));
  }
}

/// Adds a column with the time of one of \p count things that an iteration does.
inline void report_each(benchmark::State& state, const char* name, double count) {
  state.counters[name] =
      benchmark::Counter(count, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// Adds a column with a rate, such as bytes per second, from what an iteration does.
inline void report_rate(benchmark::State& state, const char* name, double per_iteration) {
  state.counters[name] = benchmark::Counter(per_iteration, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace micro
