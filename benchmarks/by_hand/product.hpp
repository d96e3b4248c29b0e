#pragma once

#include <algorithm>
#include <functional>

namespace by_hand {

/// c = op(a) op(b), for op(a) of (m, k) and op(b) of (k, n), row-major with given strides, computed in blocks.
///
/// OpenBLAS multiplies small matrices without packing them first, which is up to 1.6 times as fast: the size of the
/// blocks matters, so it is measured once.
class Product {
 public:
  struct Operand {
    bool transposed;
    int stride;
  };

  Product() = default;
  Product(int m, int n, int k, Operand a, Operand b, int c_stride)
      : m_(m), n_(n), k_(k), a_(a), b_(b), c_stride_(c_stride), rows_(m), columns_(n) {}

  /// Calls \p work, which runs this product and what goes with it, with blocks of many sizes, and keeps the fastest.
  void tune(const std::function<void()>& work);

  /// \param place row -> where in memory that row of c begins.
  /// \param after (first row, rows), called when a block of rows is there, while it is in the cache.
  template <class Place, class After>
  void run(const float* a, const float* b, const Place& place, const After& after) const {
    for (int i = 0; i < m_; i += rows_) {
      const int rows = std::min(rows_, m_ - i);
      float* c = place(i);
      for (int j = 0; j < n_; j += columns_) {
        multiply(a + (a_.transposed ? i : static_cast<long>(i) * a_.stride),
                 b + (b_.transposed ? static_cast<long>(j) * b_.stride : j), c + j, rows, std::min(columns_, n_ - j));
      }
      after(i, rows);
    }
  }

 private:
  void multiply(const float* a, const float* b, float* c, int rows, int columns) const;

  int m_ = 0;
  int n_ = 0;
  int k_ = 0;
  Operand a_{};
  Operand b_{};
  int c_stride_ = 0;
  int rows_ = 0;
  int columns_ = 0;
};

}  // namespace by_hand
