#include "benchmarks/by_hand/product.hpp"

#include <chrono>
#include <limits>

#include <cblas.h>

namespace by_hand {

void Product::multiply(const float* a, const float* b, float* c, int rows, int columns) const {
  cblas_sgemm(CblasRowMajor, a_.transposed ? CblasTrans : CblasNoTrans, b_.transposed ? CblasTrans : CblasNoTrans, rows,
              columns, k_, 1.0F, a, a_.stride, b, b_.stride, 0.0F, c, c_stride_);
}

namespace {

// The shortest of several times: what others do disturbs it least. Of one where it is much longer than \p best_so_far.
double measure(const std::function<void()>& work, double best_so_far) {
  using Clock = std::chrono::steady_clock;
  double best = std::numeric_limits<double>::infinity();
  double total = 0;
  for (int i = 0; i < 3 || (i < 30 && total < 2e-3); ++i) {
    const auto start = Clock::now();
    work();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::min(best, seconds);
    total += seconds;
    if (seconds > 1.5 * best_so_far && seconds > 1e-3) {
      break;
    }
  }
  return best;
}

}  // namespace

void Product::tune(const std::function<void()>& work) {
  double best = std::numeric_limits<double>::infinity();
  int best_rows = m_;
  int best_columns = n_;
  for (const int rows : {m_, 8, 16, 24, 32, 48, 56, 64, 96, 112, 128, 196, 256, 392, 512}) {
    for (const int columns : {n_, 32, 64, 96, 128, 256, 512}) {
      if (rows > m_ || columns > n_) {
        continue;
      }
      rows_ = rows;
      columns_ = columns;
      const double seconds = measure(work, best);
      if (seconds < best) {
        best = seconds;
        best_rows = rows;
        best_columns = columns;
      }
    }
  }
  rows_ = best_rows;
  columns_ = best_columns;
}

}  // namespace by_hand
