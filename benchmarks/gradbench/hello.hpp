#pragma once

#include "benchmarks/gradbench/harness.hpp"

namespace gradbench {

/// x², whose derivative is 2 x.
struct Hello {
  using Size = double;
  Numbers parameters;

  explicit Hello(double x) : parameters{x} {}
  std::string title() const { return "1"; }
  /// Roughly how many operations on numbers: what a tape has to hold.
  double operations() const { return 1; }

  template <class T>
  T operator()(const T* x) const {
    return x[0] * x[0];
  }
};

}  // namespace gradbench
