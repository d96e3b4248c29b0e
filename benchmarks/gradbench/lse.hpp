#pragma once

#include <cmath>

#include "benchmarks/gradbench/harness.hpp"

namespace gradbench {

/// log Σ exp xᵢ = m + log Σ exp(xᵢ - m), where m is the largest xᵢ.
struct Lse {
  using Size = std::size_t;
  Numbers parameters;

  explicit Lse(Size n) : parameters(Random().uniform(n, -2, 2)) {}
  std::string title() const { return "n = " + std::to_string(parameters.size()); }
  /// Roughly how many operations on numbers: what a tape has to hold.
  double operations() const { return 4 * static_cast<double>(parameters.size()); }

  template <class T>
  T operator()(const T* x) const {
    using std::exp, std::log;
    T largest = x[0];
    for (std::size_t i = 1; i < parameters.size(); ++i) {
      if (x[i] > largest) {
        largest = x[i];
      }
    }
    T total = 0.0;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      total += exp(x[i] - largest);
    }
    return largest + log(total);
  }
};

}  // namespace gradbench
