#pragma once

#include <string_view>
#include <vector>

#include "autograd/formula/formula.hpp"
#include "autograd/graph/variable.hpp"
#include "autograd/ops/ops.hpp"
#include "nn/optimizers/checks.hpp"

/// \file
/// For optimisers' own use: what several update rules have in common.

namespace xgrad::nn::detail {

/// (g, m, c) -> m + c (g - m): the exponential mean of gradients, which decays by 1 - c.
inline const Formula& first_moment() {
  static const Formula formula([](Scalar g, Scalar m, Scalar c) { return m + c * (g - m); }, "first_moment");
  return formula;
}

/// (g, v) -> β v + (1 - β) g²: the exponential mean of squared gradients.
inline Formula second_moment(double beta) {
  return Formula([beta](Scalar g, Scalar v) { return beta * v + (1 - beta) * (g * g); }, "second_moment");
}

/// t -> 1 / (1 - βᵗ): by what a mean that began at 0 is multiplied to be unbiased.
inline Formula bias_correction(double beta) {
  return Formula([beta](Scalar t) { return 1 / (1 - pow(beta, t)); }, "bias_correction");
}

/// (α, β, t) -> α / (1 - βᵗ): the learning rate for a mean that began at 0.
inline const Formula& corrected_rate() {
  static const Formula formula([](Scalar alpha, Scalar beta, Scalar t) { return alpha / (1 - pow(beta, t)); },
                               "corrected_rate");
  return formula;
}

/// The next content of what an optimiser remembers, formula(x, content, numbers..): it becomes one of the updates.
template <class... Numbers>
Tensor next(const Formula& formula, const Tensor& x, const Variable& memory, std::vector<Assignment>& updates,
            const Numbers&... numbers) {
  return updates.emplace_back(memory, map(formula, {x, memory, numbers...})).second;
}

/// w - α d
inline Tensor descended(const Tensor& w, const Tensor& direction, const Tensor& alpha) {
  static const Formula formula([](Scalar a, Scalar d, Scalar r) { return a - r * d; }, "weight");
  return map(formula, {w, direction, alpha});
}

inline void require_adam_options(std::string_view who, double beta2, double epsilon) {
  require_decay(who, "beta2", beta2);
  require_positive(who, "epsilon", epsilon);
}

}  // namespace xgrad::nn::detail
