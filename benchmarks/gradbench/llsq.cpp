#include "benchmarks/gradbench/llsq.hpp"

#include <algorithm>

#include "benchmarks/gradbench/by_xgrad.hpp"
#include "benchmarks/gradbench/objectives.hpp"

namespace gradbench {

namespace {

using xgrad::Tensor;

Tensor fitting_error(const Tensor& x, const Tensor& t) {
  const auto horner = [&](const Tensor& fitted, const Tensor& coefficient) { return fitted * t + coefficient; };
  return 0.5 * sum(square(sign(t) - scan(horner, zeros_like(t), x, {.reverse = true})));
}

/// -Σᵢ rᵢ tᵢʲ, for residuals rᵢ
void gradient_of(const Llsq& problem, double* out) {
  const Numbers& x = problem.parameters;
  std::fill(out, out + x.size(), 0.0);
  for (const double t : problem.points) {
    double fitted = 0;
    for (std::size_t j = x.size(); j-- > 0;) {
      fitted = fitted * t + x[j];
    }
    double term = fitted - Llsq::sign(t);
    for (std::size_t j = 0; j < x.size(); ++j) {
      out[j] += term;
      term *= t;
    }
  }
}

}  // namespace

Objective llsq() {
  return make_objective<Llsq>("llsq", {{1'000, 8}, {10'000, 32}, {100'000, 64}}, [](const Llsq& problem) {
    return std::vector{
        by_xgrad(fitting_error, xgrad::grad(fitting_error), tensor(problem.parameters), tensor(problem.points)),
        by_hand(problem, [&problem](double* out) { gradient_of(problem, out); })};
  });
}

}  // namespace gradbench
