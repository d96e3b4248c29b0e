#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "autograd/kernels/lapack.hpp"
#include "autograd/kernels/lapack_calls.hpp"

/// \file
/// Both modes of differentiating a = l lᵀ, by sweeps over l that are as cheap as the factorization is.
///
/// Cut after k columns, the factorization is
///   a11 = l11 l11ᵀ    a21 = l21 l11ᵀ    a22 = l21 l21ᵀ + l22 l22ᵀ
/// and each of the three lines is differentiated by itself, the first and the last of them by cutting again. With k = n/4
/// that takes 3/4 n³ operations; halves would take 5/6 n³, narrow strips 2/3 n³, in products that BLAS is slower at.

namespace xgrad::kernels {

namespace {

// Up to this size, calls of BLAS cost more than they save.
constexpr int smallest = 16;

// A part of a row-major matrix.
template <class T>
struct Part {
  T* data;
  int stride;

  T& operator()(int row, int column) const { return data[std::ptrdiff_t{row} * stride + column]; }
  Part from(int row, int column) const { return {&(*this)(row, column), stride}; }
};

// Multiples of 8 suit vector instructions.
int first_columns(int n) { return (n / 4 + 7) / 8 * 8; }

template <class T>
std::array<T, smallest> column_below(int n, Part<const T> l, int k) {
  std::array<T, smallest> column{};
  for (int i = k + 1; i < n; ++i) {
    column[static_cast<std::size_t>(i - k - 1)] = l(i, k);
  }
  return column;
}

// The same as push_forward, column by column.
template <class T>
void push_forward_small(int n, Part<const T> l, Part<T> x) {
  for (int k = 0; k < n; ++k) {
    const T pivot = l(k, k);
    x(k, k) /= 2 * pivot;
    for (int i = k + 1; i < n; ++i) {
      x(i, k) = (x(i, k) - l(i, k) * x(k, k)) / pivot;
    }
    const auto column = column_below(n, l, k);
    const auto change = column_below<T>(n, {x.data, x.stride}, k);
    for (int i = k + 1; i < n; ++i) {
      for (int j = k + 1; j <= i; ++j) {
        const auto at = static_cast<std::size_t>(j - k - 1);
        x(i, j) -= x(i, k) * column[at] + l(i, k) * change[at];
      }
    }
  }
}

// x, the lower triangle of da, becomes that of dl.
template <class T>
void push_forward(int n, Part<const T> l, Part<T> x) {
  if (n <= smallest) {
    push_forward_small(n, l, x);
    return;
  }
  const int k = first_columns(n);
  const int m = n - k;
  const int stride = l.stride;
  const T* l21 = &l(k, 0);
  T* x21 = &x(k, 0);
  push_forward(k, l, x);
  Lapack<T>::gemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, k, k, T{-1}, l21, stride, x.data, stride, T{1}, x21,
                  stride);
  Lapack<T>::trsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, m, k, T{1}, l.data, stride, x21,
                  stride);
  Lapack<T>::syr2k(CblasRowMajor, CblasLower, CblasNoTrans, m, k, T{-1}, x21, stride, l21, stride, T{1}, &x(k, k),
                   stride);
  push_forward(m, l.from(k, k), x.from(k, k));
}

// The same as pull_back, column by column.
template <class T>
void pull_back_small(int n, Part<const T> l, Part<T> x) {
  for (int k = n - 1; k >= 0; --k) {
    const auto column = column_below(n, l, k);
    std::array<T, smallest> product{};  // of the symmetric matrix behind column k and that column
    for (int i = k + 1; i < n; ++i) {
      const auto row = static_cast<std::size_t>(i - k - 1);
      T sum = x(i, i) * column[row];
      for (std::size_t at = 0; at < row; ++at) {
        const T element = x(i, k + 1 + static_cast<int>(at));
        sum += element * column[at];
        product[at] += element * column[row];
      }
      product[row] += sum;
    }
    const T pivot = l(k, k);
    for (int i = k + 1; i < n; ++i) {
      x(i, k) = (x(i, k) - product[static_cast<std::size_t>(i - k - 1)]) / pivot;
      x(k, k) -= x(i, k) * l(i, k);
    }
    x(k, k) /= pivot;
  }
}

// x, the lower triangle of the cotangent of l, becomes that of f + fᵀ, for the cotangent f of the lower triangle of a.
// What is above the diagonal is overwritten, but never used.
template <class T>
void pull_back(int n, Part<const T> l, Part<T> x) {
  if (n <= smallest) {
    pull_back_small(n, l, x);
    return;
  }
  const int k = first_columns(n);
  const int m = n - k;
  const int stride = l.stride;
  const T* l21 = &l(k, 0);
  T* x21 = &x(k, 0);
  pull_back(m, l.from(k, k), x.from(k, k));
  Lapack<T>::symm(CblasRowMajor, CblasLeft, CblasLower, m, k, T{-1}, &x(k, k), stride, l21, stride, T{1}, x21, stride);
  Lapack<T>::trsm(CblasRowMajor, CblasRight, CblasLower, CblasNoTrans, CblasNonUnit, m, k, T{1}, l.data, stride, x21,
                  stride);
  Lapack<T>::gemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, k, m, T{-1}, x21, stride, l21, stride, T{1}, x.data,
                  stride);
  pull_back(k, l, x);
}

template <class T>
void clear_above_diagonal(int n, Part<T> x) {
  for (int row = 0; row < n; ++row) {
    std::fill(&x(row, row) + 1, x.data + std::ptrdiff_t{row + 1} * n, T{0});
  }
}

}  // namespace

void differentiate_cholesky(const Matrices& m, bool transpose, const void* l, const RightSides& sides) {
  const int n = narrow(m.op, m.rows);
  const std::int64_t size = m.rows * m.rows;
  for_each_matrix(m.dtype, size == 0 ? 0 : sides.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    const Part<const T> factor{batch<T>(l, size)[sides.matrix[i]], n};
    const Part<T> x{batch<T>(sides.x, size)[i], n};
    clear_above_diagonal(n, x);
    if (!transpose) {
      push_forward(n, factor, x);
      return;
    }
    pull_back(n, factor, x);
    clear_above_diagonal(n, x);
    for (int k = 0; k < n; ++k) {
      x(k, k) /= 2;
    }
  });
}

}  // namespace xgrad::kernels
