#pragma once

#include "benchmarks/gradbench/harness.hpp"

namespace gradbench {

/// yₙ₋₁(2) for y₀' = x₀, yᵢ' = xᵢ yᵢ₋₁ and y(0) = 0, by steps of the classical method of Runge and Kutta.
struct Ode {
  struct Size {
    std::size_t n, steps;
  };
  Size size;
  Numbers parameters;

  explicit Ode(Size s) : size(s), parameters(Random().uniform(s.n, 0.5, 1.5)) {}
  std::string title() const { return "n = " + std::to_string(size.n) + ", " + std::to_string(size.steps) + " steps"; }
  /// Roughly how many operations on numbers: what a tape has to hold.
  double operations() const { return 20 * static_cast<double>(size.n * size.steps); }
  double step() const { return 2 / static_cast<double>(size.steps); }

  /// y' at y + h k
  template <class T>
  void slope(const T* x, const T* y, double h, const T* k, T* out) const {
    out[0] = x[0];
    for (std::size_t i = 1; i < size.n; ++i) {
      out[i] = x[i] * (y[i - 1] + h * k[i - 1]);
    }
  }

  template <class T>
  T operator()(const T* x) const {
    const std::size_t n = size.n;
    const double h = step();
    std::vector<T> y(n, T(0.0)), k1(n), k2(n), k3(n), k4(n);
    for (std::size_t s = 0; s < size.steps; ++s) {
      slope(x, y.data(), 0, y.data(), k1.data());
      slope(x, y.data(), h / 2, k1.data(), k2.data());
      slope(x, y.data(), h / 2, k2.data(), k3.data());
      slope(x, y.data(), h, k3.data(), k4.data());
      for (std::size_t i = 0; i < n; ++i) {
        y[i] += h / 6 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
      }
    }
    return y[n - 1];
  }
};

}  // namespace gradbench
