#pragma once

#include <cmath>

#include "benchmarks/gradbench/harness.hpp"

namespace gradbench {

/// The loss of a network of LSTM cells that predicts each of a sequence of vectors from those before it (ADBench). Weights are
/// vectors, not matrices: a unit sees its own input and its own hidden value only. A layer with input x, hidden h and cell c:
///
///     f = σ(w₀ x + b₀)   i = σ(w₁ h + b₁)   o = σ(w₂ x + b₂)   g = tanh(w₃ h + b₃)
///     c' = f c + i g     h' = o tanh(c')
///
/// The loss is the mean of -y (p - log(2 + Σ exp p)) over all elements of the vectors y but the first, where the prediction p is
/// v₁ h' + v₂ of the last layer, and the input of the first is v₀ times the vector before y.
///
/// Parameters: per layer w (4, units) and b (4, units); then v (3, units).
struct Lstm {
  struct Size {
    std::size_t layers, units, length;
  };
  Size size;
  Numbers state;     ///< h and c of each layer at the beginning (layers, 2, units)
  Numbers sequence;  ///< (length, units)
  Numbers parameters;

  explicit Lstm(Size s) : size(s) {
    Random random;
    state = random.uniform(s.layers * 2 * s.units, -0.5, 0.5);
    sequence = random.uniform(s.length * s.units, 0, 1);
    parameters = random.uniform((s.layers * 8 + 3) * s.units, -0.5, 0.5);
  }
  std::string title() const {
    return std::to_string(size.layers) + " layers of " + std::to_string(size.units) + ", " +
           std::to_string(size.length) + " steps";
  }
  /// Roughly how many operations on numbers: what a tape has to hold.
  double operations() const { return 50 * static_cast<double>(size.layers * size.units * size.length); }
  /// Where the weights of a gate begin; its biases are 4 rows behind, and gate 0 of the layer behind the last is v.
  std::size_t weights(std::size_t layer, std::size_t gate = 0) const { return (layer * 8 + gate) * size.units; }
  double predictions() const { return static_cast<double>((size.length - 1) * size.units); }

  template <class T>
  static T sigmoid(const T& x) {
    using std::exp;
    return 1.0 / (1.0 + exp(-x));
  }

  template <class T>
  T operator()(const T* p) const {
    using std::exp, std::log, std::tanh;
    const std::size_t units = size.units;
    std::vector<T> s(state.begin(), state.end());
    std::vector<T> x(units);
    const T* v = p + weights(size.layers);
    T total = 0.0;
    for (std::size_t t = 0; t + 1 < size.length; ++t) {
      for (std::size_t i = 0; i < units; ++i) {
        x[i] = sequence[t * units + i] * v[i];
      }
      for (std::size_t layer = 0; layer < size.layers; ++layer) {
        const T* w = p + weights(layer);
        const T* b = p + weights(layer, 4);
        T* h = &s[layer * 2 * units];
        T* c = h + units;
        for (std::size_t i = 0; i < units; ++i) {
          const T forget = sigmoid(T(w[i] * x[i] + b[i]));
          const T input = sigmoid(T(w[units + i] * h[i] + b[units + i]));
          const T output = sigmoid(T(w[2 * units + i] * x[i] + b[2 * units + i]));
          const T change = tanh(T(w[3 * units + i] * h[i] + b[3 * units + i]));
          c[i] = c[i] * forget + input * change;
          h[i] = output * tanh(c[i]);
          x[i] = h[i];
        }
      }
      T exponentials = 2.0;
      for (std::size_t i = 0; i < units; ++i) {
        x[i] = x[i] * v[units + i] + v[2 * units + i];
        exponentials += exp(x[i]);
      }
      const T normalizer = log(exponentials);
      for (std::size_t i = 0; i < units; ++i) {
        total += sequence[(t + 1) * units + i] * (x[i] - normalizer);
      }
    }
    return -total / predictions();
  }
};

}  // namespace gradbench
