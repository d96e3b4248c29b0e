#pragma once

#include <cmath>

#include "benchmarks/gradbench/harness.hpp"

namespace gradbench {

/// The determinant of an n × n matrix by expansion along the first row, again and again: n! products.
struct Det {
  using Size = std::size_t;
  std::size_t n;
  Numbers parameters;

  explicit Det(Size size) : n(size), parameters(Random().uniform(size * size, -1, 1)) {}
  std::string title() const { return "n = " + std::to_string(n); }
  /// Roughly how many operations on numbers: what a tape has to hold.
  double operations() const { return 3 * std::exp(1) * std::tgamma(n + 1); }

  template <class T>
  T operator()(const T* a) const {
    return minor(a, 0, 0);
  }

  /// The determinant of the rows from \p row on without the columns whose bits are set in \p used.
  template <class T>
  T minor(const T* a, std::size_t row, unsigned used) const {
    if (row + 1 == n) {
      for (std::size_t j = 0;; ++j) {
        if (!(used >> j & 1)) {
          return a[row * n + j];
        }
      }
    }
    T total = 0.0;
    double sign = 1;
    for (std::size_t j = 0; j < n; ++j) {
      if (!(used >> j & 1)) {
        total += sign * a[row * n + j] * minor(a, row + 1, used | 1U << j);
        sign = -sign;
      }
    }
    return total;
  }
};

}  // namespace gradbench
