#include "autograd/kernels/lapack.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "autograd/error.hpp"
#include "autograd/kernels/lapack_calls.hpp"

namespace xgrad::kernels {

namespace {

// Factorizes a copy; returns the number of the first pivot that is 0, counted from 1, or 0 when there is none.
template <class T>
int copy_and_eliminate(const char* op, std::int64_t size, const T* a, T* lu, int* exchanges) {
  const int n = narrow(op, size);
  int info = 0;
  if (n > 0) {
    std::copy_n(a, size * size, lu);
    Lapack<T>::getrf(&n, &n, lu, &n, exchanges, &info);
  }
  return info;
}

void require_pivots(const Matrices& m, std::int64_t number, int zero_pivot) {
  if (zero_pivot > 0) {
    raise<ValueError>(m.op, fmt::format("{} is singular: pivot {} of {} is 0; drop dependent rows, or add a multiple "
                                        "of the identity",
                                        describe(m, number), zero_pivot, m.rows));
  }
}

}  // namespace

void factorize_lu(const Matrices& m, const void* a, void* lu, int* exchanges) {
  for_each_matrix(m.dtype, m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    const std::int64_t size = m.rows * m.rows;
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

void solve_triangular(const Matrices& m, bool lower, bool transpose, const void* a, const RightSides& sides) {
  const int n = narrow(m.op, m.rows);
  const int k = narrow(m.op, sides.columns);
  for_each_matrix(m.dtype, m.count, [&](auto zero, std::int64_t i) {
    const auto* triangle = batch<decltype(zero)>(a, m.rows * m.rows)[i];
    for (std::int64_t j = 0; j < m.rows; ++j) {
      if (triangle[j * m.rows + j] == 0) {
        raise<ValueError>(m.op, fmt::format("{} is singular: element ({}, {}) of its diagonal is 0; make the diagonal "
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
    solve_triangle(lower, transpose, false, n, k, batch<T>(a, m.rows * m.rows)[sides.matrix[i]],
                   batch<T>(sides.x, m.rows * sides.columns)[i]);
  });
}

void invert(const Matrices& m, const void* a, void* inverse) {
  for_each_matrix(m.dtype, m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    const std::int64_t size = m.rows * m.rows;
    T* result = batch<T>(inverse, size)[i];
    auto exchanges = elements<int>(m.rows);
    require_pivots(m, i, copy_and_eliminate<T>(m.op, m.rows, batch<T>(a, size)[i], result, exchanges.data()));
    const int n = static_cast<int>(m.rows);
    if (n > 0) {
      with_workspace<T>([&](T* work, int work_size) {
        int info = 0;
        Lapack<T>::getri(&n, result, &n, exchanges.data(), work, &work_size, &info);
      });
    }
  });
}

namespace {

// Calls visit for every factor of the determinant: the pivots, and -1 for each exchange. A zero pivot ends it.
template <class T, class Visit>
void visit_factors(const char* op, std::int64_t n, const T* a, const Visit& visit) {
  auto lu = elements<T>(n * n);
  auto exchanges = elements<int>(n);
  if (copy_and_eliminate(op, n, a, lu.data(), exchanges.data()) > 0) {
    visit(0.0);
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    visit(static_cast<double>(lu[at * static_cast<std::size_t>(n + 1)]) * (exchanges[at] == i + 1 ? 1 : -1));
  }
}

template <class T>
double product_of_factors(const char* op, std::int64_t n, const T* a) {
  double det = 1;
  visit_factors(op, n, a, [&](double factor) { det *= factor; });
  return det;
}

}  // namespace

void determinant(const Matrices& m, const void* a, void* det) {
  for_each_matrix(m.dtype, m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    *batch<T>(det, 1)[i] = static_cast<T>(product_of_factors(m.op, m.rows, batch<T>(a, m.rows * m.rows)[i]));
  });
}

void log_determinant(const Matrices& m, const void* a, void* logdet) {
  for_each_matrix(m.dtype, m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    double sign = 1;
    double log = 0;
    visit_factors(m.op, m.rows, batch<T>(a, m.rows * m.rows)[i], [&](double factor) {
      sign = factor < 0 ? -sign : sign;
      log += std::log(std::abs(factor));
    });
    *batch<T>(logdet, 1)[i] = sign < 0 ? std::numeric_limits<T>::quiet_NaN() : static_cast<T>(log);
  });
}

}  // namespace xgrad::kernels
