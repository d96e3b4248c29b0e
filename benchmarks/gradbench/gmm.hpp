#pragma once

#include <cmath>

#include "benchmarks/gradbench/harness.hpp"

namespace gradbench {

/// The logarithm of the likelihood of points x (n, d) in a mixture of k Gaussians with weights softmax(α), means μ and inverse
/// covariances QᵀQ, where Q is lower triangular with diagonal exp(q); with Wishart's prior of γ and m (ADBench: Šrajer,
/// Kukelova and Fitzgibbon, A benchmark of selected algorithmic differentiation tools, 2018):
///
///     Σᵢ log Σₖ exp(αₖ + Σ qₖ - ½ |Qₖ (xᵢ - μₖ)|²) - n (log Σₖ exp αₖ + d/2 log 2π)
///       + Σₖ (½ γ² |Qₖ|² - m Σ qₖ) - k C
///
/// Parameters: α (k), μ (k, d), q (k, d), and the elements below the diagonals of Q, column by column (k, d (d - 1) / 2).
struct Gmm {
  struct Size {
    std::size_t n, d, k;
  };
  static constexpr double gamma = 1;
  static constexpr double m = 0;
  Size size;
  Numbers points;
  Numbers parameters;

  explicit Gmm(Size s) : size(s) {
    Random random;
    points = random.uniform(s.n * s.d, -1, 1);
    parameters = random.uniform(s.k * (1 + 2 * s.d + triangle()), -1, 1);
  }
  std::string title() const {
    return "n = " + std::to_string(size.n) + ", d = " + std::to_string(size.d) + ", k = " + std::to_string(size.k);
  }
  /// Roughly how many operations on numbers: what a tape has to hold.
  double operations() const { return static_cast<double>(size.n * size.k * size.d * size.d); }
  std::size_t triangle() const { return size.d * (size.d - 1) / 2; }
  std::size_t means() const { return size.k; }                         ///< where they begin
  std::size_t diagonals() const { return size.k * (1 + size.d); }      ///< where they begin
  std::size_t triangles() const { return size.k * (1 + 2 * size.d); }  ///< where they begin

  /// What does not depend on the parameters.
  double constant() const {
    const auto d = static_cast<double>(size.d);
    const double freedom = d + m + 1;
    double log_gamma = d * (d - 1) / 4 * std::log(M_PI);  // of several variables
    for (std::size_t j = 0; j < size.d; ++j) {
      log_gamma += std::lgamma(freedom / 2 - static_cast<double>(j) / 2);
    }
    const double c = freedom * d * (std::log(gamma) - std::log(2.0) / 2) - log_gamma;
    return -static_cast<double>(size.n) * d / 2 * std::log(2 * M_PI) - static_cast<double>(size.k) * c;
  }

  template <class T>
  T operator()(const T* p) const {
    using std::exp, std::log;
    const auto [n, d, k] = size;
    std::vector<T> diagonal(k * d), base(k), residual(d), exponents(k);
    T total = constant();
    for (std::size_t c = 0; c < k; ++c) {
      T squares = 0.0;
      T sum = 0.0;
      for (std::size_t i = 0; i < d; ++i) {
        const T& q = p[diagonals() + c * d + i];
        diagonal[c * d + i] = exp(q);
        squares += diagonal[c * d + i] * diagonal[c * d + i];
        sum += q;
      }
      for (std::size_t i = 0; i < triangle(); ++i) {
        const T& l = p[triangles() + c * triangle() + i];
        squares += l * l;
      }
      base[c] = p[c] + sum;
      total += gamma * gamma / 2 * squares - m * sum;
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t c = 0; c < k; ++c) {
        for (std::size_t j = 0; j < d; ++j) {
          residual[j] = points[i * d + j] - p[means() + c * d + j];
        }
        exponents[c] = base[c] - 0.5 * length(&diagonal[c * d], p + triangles() + c * triangle(), residual);
      }
      total += log_sum_exp(exponents.data());
    }
    return total - static_cast<double>(n) * log_sum_exp(p);
  }

  /// |Q r|²
  template <class T>
  T length(const T* diagonal, const T* below, const std::vector<T>& r) const {
    std::vector<T> product(size.d);
    for (std::size_t j = 0; j < size.d; ++j) {
      product[j] = diagonal[j] * r[j];
    }
    for (std::size_t j = 0; j < size.d; ++j) {
      for (std::size_t i = j + 1; i < size.d; ++i) {
        product[i] += *below++ * r[j];
      }
    }
    T total = 0.0;
    for (const T& each : product) {
      total += each * each;
    }
    return total;
  }

  template <class T>
  T log_sum_exp(const T* x) const {
    using std::exp, std::log;
    T largest = x[0];
    for (std::size_t i = 1; i < size.k; ++i) {
      if (x[i] > largest) {
        largest = x[i];
      }
    }
    T total = 0.0;
    for (std::size_t i = 0; i < size.k; ++i) {
      total += exp(x[i] - largest);
    }
    return largest + log(total);
  }
};

}  // namespace gradbench
