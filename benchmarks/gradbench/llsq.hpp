#pragma once

#include "benchmarks/gradbench/harness.hpp"

namespace gradbench {

/// ½ Σᵢ (sign tᵢ - Σⱼ xⱼ tᵢʲ)² for n points tᵢ from -1 to 1 and m coefficients xⱼ.
struct Llsq {
  struct Size {
    std::size_t points, coefficients;
  };
  Size size;
  Numbers points;
  Numbers parameters;

  explicit Llsq(Size n) : size(n), points(n.points), parameters(Random().uniform(n.coefficients, -1, 1)) {
    for (std::size_t i = 0; i < n.points; ++i) {
      points[i] = -1 + 2 * static_cast<double>(i) / static_cast<double>(n.points - 1);
    }
  }
  std::string title() const {
    return "n = " + std::to_string(size.points) + ", m = " + std::to_string(size.coefficients);
  }
  /// Roughly how many operations on numbers: what a tape has to hold.
  double operations() const { return 2 * static_cast<double>(size.points * size.coefficients); }
  static double sign(double t) { return t > 0 ? 1 : t < 0 ? -1 : 0; }

  template <class T>
  T operator()(const T* x) const {
    T total = 0.0;
    for (const double t : points) {
      T fitted = 0.0;
      for (std::size_t j = size.coefficients; j-- > 0;) {
        fitted = fitted * t + x[j];
      }
      const T residual = sign(t) - fitted;
      total += residual * residual;
    }
    return 0.5 * total;
  }
};

}  // namespace gradbench
