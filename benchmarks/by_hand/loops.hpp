#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "benchmarks/task.hpp"

/// \file
/// The work between the products. The compiler makes vector code of plain loops.

namespace by_hand {

using benchmarks::class_count;
using benchmarks::image_size;

/// Copies the images \p first to \p last of \p order to consecutive rows of \p x, as grey levels in [0, 1].
inline void gather(const std::uint8_t* images, const std::int64_t* order, int first, int last, float* x) {
  for (int row = first; row < last; ++row) {
    const std::uint8_t* image = images + order[row] * image_size;
    if (row + 1 < last) {
      const std::uint8_t* next = images + order[row + 1] * image_size;
      for (int i = 0; i < image_size; i += 64) {
        __builtin_prefetch(next + i);
      }
    }
    float* out = x + static_cast<long>(row) * image_size;
    for (int i = 0; i < image_size; ++i) {
      out[i] = static_cast<float>(image[i]) * benchmarks::grey_scale;
    }
  }
}

inline void add_bias_and_relu(float* row, const float* bias, int n) {
  for (int i = 0; i < n; ++i) {
    const float z = row[i] + bias[i];
    row[i] = z > 0 ? z : 0;
  }
}

/// sums[i] = Σ_r rows[r, i].
inline void sum_rows(const float* rows, int count, long stride, float* __restrict sums, int n) {
  std::memcpy(sums, rows, static_cast<std::size_t>(n) * sizeof(float));
  for (int r = 1; r < count; ++r) {
    const float* row = rows + r * stride;
    for (int i = 0; i < n; ++i) {
      sums[i] += row[i];
    }
  }
}

/// The update of either optimiser at one step.
class Update {
 public:
  Update(bool adam, int step)
      : adam_(adam),
        rate_(static_cast<float>(benchmarks::Rates::adam / (1 - std::pow(benchmarks::Rates::beta1, step)))),
        correction_(static_cast<float>(1 / (1 - std::pow(benchmarks::Rates::beta2, step)))) {}

  void operator()(const float* __restrict g, float* __restrict w, float* __restrict m, float* __restrict v,
                  long n) const {
    using benchmarks::Rates;
    if (!adam_) {
      for (long i = 0; i < n; ++i) {
        m[i] = static_cast<float>(Rates::momentum) * m[i] + g[i];
        w[i] -= static_cast<float>(Rates::sgd) * m[i];
      }
      return;
    }
    for (long i = 0; i < n; ++i) {
      m[i] = static_cast<float>(Rates::beta1) * m[i] + static_cast<float>(1 - Rates::beta1) * g[i];
      v[i] = static_cast<float>(Rates::beta2) * v[i] + static_cast<float>(1 - Rates::beta2) * g[i] * g[i];
      w[i] -= rate_ * m[i] / (std::sqrt(v[i] * correction_) + static_cast<float>(Rates::epsilon));
    }
  }

 private:
  bool adam_;
  float rate_;
  float correction_;
};

/// Cross-entropy of one row of logits with its label, and its derivative times \p scale in place of the logits.
inline double cross_entropy(float* z, std::int64_t label, float scale) {
  float largest = z[0];
  for (int j = 1; j < class_count; ++j) {
    largest = z[j] > largest ? z[j] : largest;
  }
  const float of_label = z[label] - largest;
  float sum = 0;
  for (int j = 0; j < class_count; ++j) {
    z[j] = std::exp(z[j] - largest);
    sum += z[j];
  }
  const float factor = scale / sum;
  for (int j = 0; j < class_count; ++j) {
    z[j] *= factor;
  }
  z[label] -= scale;
  return std::log(sum) - of_label;
}

}  // namespace by_hand
