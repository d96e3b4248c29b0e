#pragma once

#include <cstdint>
#include <cstring>

#include "benchmarks/by_hand/loops.hpp"

/// \file
/// The last layer, ten columns wide, with softmax and cross-entropy: too narrow for BLAS. Its weight is kept transposed,
/// (10, inputs), and rows of a batch go through all of it on one thread.

namespace by_hand {

/// Sixteen numbers that are computed with at once.
using Lanes = float __attribute__((vector_size(64)));
inline constexpr int lane_count = 16;

inline Lanes load(const float* p) {
  Lanes lanes;
  std::memcpy(&lanes, p, sizeof(lanes));
  return lanes;
}
inline void store(float* p, const Lanes& lanes) { std::memcpy(p, &lanes, sizeof(lanes)); }

inline float sum(const Lanes& lanes) {
  float total = 0;
  for (int i = 0; i < lane_count; ++i) {
    total += lanes[i];
  }
  return total;
}

/// Adam and momentum keep to this layout too.
struct OutputLayer {
  int inputs;           ///< a multiple of lane_count
  const float* weight;  ///< (10, inputs)
  const float* bias;

  /// z = x wᵀ + b, of one row.
  void forward(const float* x, float* z) const {
    Lanes sums[class_count] = {};
    for (int i = 0; i < inputs; i += lane_count) {
      const Lanes each = load(x + i);
      for (int j = 0; j < class_count; ++j) {
        sums[j] += each * load(weight + j * inputs + i);
      }
    }
    for (int j = 0; j < class_count; ++j) {
      z[j] = sum(sums[j]) + bias[j];
    }
  }

  /// dx = dz w where x > 0, else 0, of one row: what goes through the ReLU that made x.
  void backward(const float* x, const float* dz, float* dx) const {
    for (int i = 0; i < inputs; i += lane_count) {
      Lanes total = {};
      for (int j = 0; j < class_count; ++j) {
        total += dz[j] * load(weight + j * inputs + i);
      }
      store(dx + i, load(x + i) > 0 ? total : Lanes{});
    }
  }

  /// dw = dzᵀ x, db = Σ dz over \p rows rows.
  void gradient(const float* x, const float* dz, int rows, float* dw, float* db) const {
    for (int i = 0; i < inputs; i += lane_count) {
      Lanes sums[class_count] = {};
      for (int r = 0; r < rows; ++r) {
        const Lanes each = load(x + static_cast<long>(r) * inputs + i);
        for (int j = 0; j < class_count; ++j) {
          sums[j] += dz[r * class_count + j] * each;
        }
      }
      for (int j = 0; j < class_count; ++j) {
        store(dw + j * inputs + i, sums[j]);
      }
    }
    sum_rows(dz, rows, class_count, db, class_count);
  }
};

}  // namespace by_hand
