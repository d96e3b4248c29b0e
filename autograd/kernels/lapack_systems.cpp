#include "autograd/kernels/lapack.hpp"
#include "autograd/runtime/phrase.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "autograd/kernels/lapack_calls.hpp"
#include "autograd/runtime/error.hpp"

namespace xgrad::kernels {

namespace {

void require_pivots(const Matrices& m, std::int64_t number, int zero_pivot) {
  if (zero_pivot > 0) {
    raise<ValueError>(m.op, phrase("{} is singular: pivot {} of {} is 0; drop dependent rows, or add a multiple "
                                   "of the identity",
                                   describe(m, number), zero_pivot, m.rows));
  }
}

template <class T>
bool has_nan(const T* a, std::int64_t count) {
  return std::any_of(a, a + count, [](T x) { return x != x; });
}

}  // namespace

void factorize_lu(const Matrices& m, const void* a, void* lu, int* exchanges) {
  for_each_matrix(m.dtype, m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    const std::int64_t size = m.rows * m.rows;
    if (has_nan(batch<T>(a, size)[i], size)) {
      std::fill_n(batch<T>(lu, size)[i], size, std::numeric_limits<T>::quiet_NaN());
      std::iota(exchanges + i * m.rows, exchanges + (i + 1) * m.rows, 1);
      return;
    }
    require_pivots(
        m, i, copy_and_eliminate<T>(m.op, m.rows, batch<T>(a, size)[i], batch<T>(lu, size)[i], exchanges + i * m.rows));
  });
}

namespace {

// x = triangle⁻¹ x of row-major matrices.
template <class T>
void solve_triangle(bool lower, bool transpose, bool unit, int n, int k, const T* triangle, T* x) {
  Lapack<T>::trsm(CblasRowMajor, CblasLeft, lower ? CblasLower : CblasUpper, transpose ? CblasTrans : CblasNoTrans,
                  unit ? CblasUnit : CblasNonUnit, n, k, T{1}, triangle, n, x, k);
}

template <class T>
void exchange_rows(T* x, int k, int first, int second) {
  if (first != second) {
    std::swap_ranges(x + std::ptrdiff_t{first} * k, x + std::ptrdiff_t{first} * k + k, x + std::ptrdiff_t{second} * k);
  }
}

}  // namespace

// Read row by row, the factors of pᵀ l u = aᵀ lie transposed: uᵀ in the lower triangle and lᵀ, with its unit diagonal
// left out, in the upper one.
void solve_lu(const Matrices& m, bool transpose, const void* lu, const int* exchanges, const RightSides& sides) {
  const int n = narrow(m.op, m.rows);
  const int k = narrow(m.op, sides.columns);
  if (n == 0 || k == 0) {
    return;
  }
  for_each_matrix(m.dtype, sides.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    const T* factors = batch<T>(lu, m.rows * m.rows)[sides.matrix[i]];
    const int* exchange = exchanges + sides.matrix[i] * n;
    T* x = batch<T>(sides.x, m.rows * sides.columns)[i];
    if (transpose) {  // pᵀ l u x = b
      for (int row = 0; row < n; ++row) {
        exchange_rows(x, k, row, exchange[row] - 1);
      }
      solve_triangle(false, true, true, n, k, factors, x);
      solve_triangle(true, true, false, n, k, factors, x);
    } else {  // uᵀ lᵀ p x = b
      solve_triangle(true, false, false, n, k, factors, x);
      solve_triangle(false, false, true, n, k, factors, x);
      for (int row = n; row-- > 0;) {
        exchange_rows(x, k, row, exchange[row] - 1);
      }
    }
  });
}

void solve_triangular(const Matrices& m, bool lower, bool transpose, bool unit, const void* a,
                      const RightSides& sides) {
  const int n = narrow(m.op, m.rows);
  const int k = narrow(m.op, sides.columns);
  for_each_matrix(m.dtype, m.count, [&](auto zero, std::int64_t i) {
    const auto* triangle = batch<decltype(zero)>(a, m.rows * m.rows)[i];
    for (std::int64_t j = 0; j < m.rows && !unit; ++j) {
      if (triangle[j * m.rows + j] == 0) {
        raise<ValueError>(m.op, phrase("{} is singular: element ({}, {}) of its diagonal is 0; make the diagonal "
                                       "nonzero",
                                       describe(m, i), j, j));
      }
    }
  });
  if (n == 0 || k == 0) {
    return;
  }
  for_each_matrix(m.dtype, sides.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    solve_triangle(lower, transpose, unit, n, k, batch<T>(a, m.rows * m.rows)[sides.matrix[i]],
                   batch<T>(sides.x, m.rows * sides.columns)[i]);
  });
}

void invert(const Matrices& m, const void* a, void* inverse) {
  for_each_matrix(m.dtype, m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    const std::int64_t size = m.rows * m.rows;
    T* result = batch<T>(inverse, size)[i];
    if (has_nan(batch<T>(a, size)[i], size)) {  // eliminating around NaN, LAPACK may lose it
      std::fill_n(result, size, std::numeric_limits<T>::quiet_NaN());
      return;
    }
    auto exchanges = elements<int>(m.rows);
    require_pivots(m, i, copy_and_eliminate<T>(m.op, m.rows, batch<T>(a, size)[i], result, exchanges.data()));
    invert_factors(static_cast<int>(m.rows), result, exchanges.data());
  });
}

}  // namespace xgrad::kernels
