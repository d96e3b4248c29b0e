#include "benchmarks/by_hand/product.hpp"

#include <chrono>
#include <limits>

#include <cblas.h>

namespace by_hand {

void Product::multiply(const float* a, const float* b, float* c, int rows, int columns) const {
  cblas_sgemm(CblasRowMajor, a_.transposed ? CblasTrans : CblasNoTrans, b_.transposed ? CblasTrans : CblasNoTrans, rows,
              columns, k_, 1.0F, a, a_.stride, b, b_.stride, 0.0F, c, c_stride_);
}

// The shortest of several times: what others do disturbs it least.
double Product::measure(const float* a, const float* b, float* c, bool reuse_c) const {
  using Clock = std::chrono::steady_clock;
  const auto place = [&](int row) { return reuse_c ? c : c + static_cast<long>(row) * c_stride_; };
  double best = std::numeric_limits<double>::infinity();
  double total = 0;
  for (int i = 0; i < 3 || (i < 30 && total < 2e-3); ++i) {
    const auto start = Clock::now();
    run(a, b, place, [](int, int) {});
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::min(best, seconds);
    total += seconds;
  }
  return best;
}

void Product::tune(const float* a, const float* b, float* c, bool reuse_c, int most_rows) {
  double best = std::numeric_limits<double>::infinity();
  Product fastest = *this;
  for (const int rows : {m_, 8, 16, 24, 32, 48, 56, 64, 96, 112, 128, 196, 256, 392, 512}) {
    for (const int columns : {n_, 32, 64, 96, 128, 256, 512}) {
      if (rows > std::min(m_, most_rows) || columns > n_) {
        continue;
      }
      rows_ = rows;
      columns_ = columns;
      const double seconds = measure(a, b, c, reuse_c);
      if (seconds < best) {
        best = seconds;
        fastest = *this;
      }
    }
  }
  *this = fastest;
}

}  // namespace by_hand
