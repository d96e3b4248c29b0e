#pragma once

#include <array>

#include "autograd/ops/ops.hpp"

/// \file
/// What optimisers are tested on.

namespace xgrad::testing {

using Point = std::array<double, 3>;

/// (1 - w₀)² + 5 (w₁ - w₀²)² + 0.1 (w₂ w₀)²: a curved valley.
inline Tensor valley(const Tensor& w) {
  return square(1 - w[0]) + 5 * square(w[1] - square(w[0])) + 0.1 * square(w[2] * w[0]);
}

}  // namespace xgrad::testing
