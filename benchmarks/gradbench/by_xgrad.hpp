#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include <autograd/autograd.hpp>

#include "benchmarks/gradbench/harness.hpp"

namespace gradbench {

/// The numbers as a float64 tensor.
inline xgrad::Tensor tensor(const Numbers& numbers, const std::vector<std::size_t>& shape) {
  return xt::xarray<double>(xt::adapt(numbers, shape));
}
inline xgrad::Tensor tensor(const Numbers& numbers) { return tensor(numbers, {numbers.size()}); }

inline void append(Numbers& numbers, const xgrad::Tensor& tensor) {
  const auto elements = tensor.value<double>();
  numbers.insert(numbers.end(), elements.begin(), elements.end());
}
inline void append(Numbers& numbers, const xgrad::Tensors& tensors) {
  for (const xgrad::Tensor& each : tensors) {
    append(numbers, each);
  }
}

/// A function of tensors, compiled.
template <class F, class... Arguments>
Computation compiled(const F& f, const Arguments&... arguments) {
  const auto step = xgrad::compile(f);
  using Result = decltype(step(arguments...));
  const auto last = std::make_shared<Result>();
  return {[=] { *last = step(arguments...); },
          [=] {
            Numbers numbers;
            append(numbers, *last);
            return numbers;
          }};
}

/// Function and derivative, both of all the arguments, as plans.
template <class F, class G, class... Arguments>
Method by_xgrad(const F& primal, const G& derivative, const Arguments&... arguments) {
  Method result{"xgrad", compiled(primal, arguments...), compiled(derivative, arguments...)};
  const auto start = std::chrono::steady_clock::now();
  result.derivative.run();
  result.preparation = seconds_since(start);
  return result;
}

}  // namespace gradbench
