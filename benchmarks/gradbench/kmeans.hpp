#pragma once

#include "benchmarks/gradbench/harness.hpp"

namespace gradbench {

/// Σᵢ minⱼ |pᵢ - cⱼ|² for points p (n, d) and centres c (k, d), as a function of the centres. Its Hessian is diagonal, and what
/// is asked for is the step of Newton's method: the gradient over the diagonal.
struct Kmeans {
  struct Size {
    std::size_t n, k, d;
  };
  Size size;
  Numbers points;
  Numbers parameters;

  explicit Kmeans(Size s) : size(s), points(Random().uniform(s.n * s.d, 0, 1)) {
    parameters.assign(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(s.k * s.d));
    for (double& each : parameters) {
      each += 0.01;  // near a point: no cluster is empty
    }
  }
  std::string title() const {
    return "n = " + std::to_string(size.n) + ", k = " + std::to_string(size.k) + ", d = " + std::to_string(size.d);
  }
  /// Roughly how many operations on numbers: what a tape has to hold.
  double operations() const { return 3 * static_cast<double>(size.n * size.k * size.d); }

  template <class T>
  T operator()(const T* c) const {
    T total = 0.0;
    for (std::size_t i = 0; i < size.n; ++i) {
      T nearest = 0.0;
      for (std::size_t j = 0; j < size.k; ++j) {
        T distance = 0.0;
        for (std::size_t l = 0; l < size.d; ++l) {
          const T difference = points[i * size.d + l] - c[j * size.d + l];
          distance += difference * difference;
        }
        if (j == 0 || distance < nearest) {
          nearest = distance;
        }
      }
      total += nearest;
    }
    return total;
  }
};

}  // namespace gradbench
