#include "benchmarks/gradbench/lse.hpp"

#include <algorithm>

#include "benchmarks/gradbench/by_xgrad.hpp"
#include "benchmarks/gradbench/objectives.hpp"

namespace gradbench {

namespace {

/// exp(xᵢ - m) / Σ exp(xⱼ - m)
void gradient_of(const Lse& problem, double* out) {
  const Numbers& x = problem.parameters;
  const double largest = *std::max_element(x.begin(), x.end());
  double total = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    out[i] = std::exp(x[i] - largest);
    total += out[i];
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    out[i] /= total;
  }
}

}  // namespace

Objective lse() {
  return make_objective<Lse>("lse", {1'000, 30'000, 1'000'000}, [](const Lse& problem) {
    const auto f = [](const xgrad::Tensor& x) { return logsumexp(x); };
    return std::vector{by_xgrad(f, xgrad::grad(f), tensor(problem.parameters)),
                       by_hand(problem, [&problem](double* out) { gradient_of(problem, out); })};
  });
}

}  // namespace gradbench
