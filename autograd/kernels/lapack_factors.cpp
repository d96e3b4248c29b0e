#include "autograd/kernels/lapack.hpp"
#include "autograd/runtime/phrase.hpp"

#include <algorithm>
#include <vector>

#include "autograd/kernels/lapack_calls.hpp"
#include "autograd/runtime/error.hpp"

namespace xgrad::kernels {

namespace {

void require_finite(const Matrices& m, std::int64_t number, bool finite) {
  if (!finite) {
    raise<ValueError>(m.op, phrase("{} has elements that are infinite or NaN; look where they come from with "
                                   "isfinite",
                                   describe(m, number)));
  }
}

void require_convergence(const Matrices& m, std::int64_t number, int info) {
  if (info != 0) {
    raise<ValueError>(m.op, phrase("the iteration did not converge for {} of size ({}, {}): LAPACK says {}; scale it",
                                   describe(m, number), m.rows, m.columns, info));
  }
}

// With aᵀ = x diag(s) yᵀ in column-major form, a = y diag(s) xᵀ; read row by row, x is xᵀ and yᵀ is y.
template <class T>
int decompose(const char* op, std::int64_t rows, std::int64_t columns, const T* a, T* u, T* s, T* vt) {
  const int m = narrow(op, columns);
  const int n = narrow(op, rows);
  const int k = std::min(m, n);
  int info = 0;
  if (k > 0) {
    std::vector<T> scratch(a, a + rows * columns);
    auto integers = elements<int>(std::int64_t{8} * k);
    with_workspace<T>([&](T* work, int size) {
      Lapack<T>::gesdd("S", &m, &n, scratch.data(), &m, s, vt, &m, u, &k, work, &size, integers.data(), &info, 1);
    });
  }
  return info;
}

}  // namespace

void singular_values(const Matrices& m, const void* a, void* u, void* s, void* vt) {
  const std::int64_t k = std::min(m.rows, m.columns);
  for_each_matrix(m.dtype, m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    const T* matrix = batch<T>(a, m.rows * m.columns)[i];
    require_finite(m, i, all_finite(matrix, m.rows * m.columns));
    require_convergence(m, i,
                        decompose(m.op, m.rows, m.columns, matrix, batch<T>(u, m.rows * k)[i], batch<T>(s, k)[i],
                                  batch<T>(vt, k * m.columns)[i]));
  });
}

// Read row by row, the lower triangle is LAPACK's upper one, and its factor rᵀ r has rᵀ = l.
void cholesky(const Matrices& m, const void* a, void* l) {
  const int n = narrow(m.op, m.rows);
  const std::int64_t size = m.rows * m.rows;
  for_each_matrix(m.dtype, size == 0 ? 0 : m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    T* factor = batch<T>(l, size)[i];
    std::copy_n(batch<T>(a, size)[i], size, factor);
    for (std::int64_t row = 0; row < m.rows; ++row) {
      std::fill_n(factor + row * m.rows + row + 1, m.rows - row - 1, T{0});
    }
    int info = 0;
    Lapack<T>::potrf("U", &n, factor, &n, &info, 1);
    for (int j = 0; j < n && info == 0; ++j) {  // OpenBLAS does not notice NaN
      info = factor[j * (m.rows + 1)] > 0 ? 0 : j + 1;
    }
    if (info != 0) {
      raise<ValueError>(m.op, phrase("{} is not positive definite: its leading minor of order {} of {} is not "
                                     "positive; add to its diagonal",
                                     describe(m, i), info, n));
    }
  });
}

// Read row by row, the eigenvectors that LAPACK leaves in columns are the rows of vᵀ.
void symmetric_eigen(const Matrices& m, const void* a, void* w, void* v) {
  const int n = narrow(m.op, m.rows);
  const std::int64_t size = m.rows * m.rows;
  for_each_matrix(m.dtype, size == 0 ? 0 : m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    const T* matrix = batch<T>(a, size)[i];
    require_finite(m, i, all_finite(matrix, size));
    std::vector<T> vectors(matrix, matrix + size);
    int info = 0;
    int integers_wanted = 0;
    const int query = -1;
    T unused = 0;
    T* values = batch<T>(w, m.rows)[i];
    Lapack<T>::syevd("V", "U", &n, vectors.data(), &n, values, &unused, &query, &integers_wanted, &query, &info, 1, 1);
    auto integers = elements<int>(integers_wanted);
    with_workspace<T>([&](T* work, int work_size) {
      Lapack<T>::syevd("V", "U", &n, vectors.data(), &n, values, work, &work_size, integers.data(),
                       work_size == -1 ? &query : &integers_wanted, &info, 1, 1);
    });
    require_convergence(m, i, info);
    T* columns = batch<T>(v, size)[i];
    for (std::int64_t row = 0; row < m.rows; ++row) {
      for (std::int64_t column = 0; column < m.rows; ++column) {
        columns[row * m.rows + column] = vectors[static_cast<std::size_t>(column * m.rows + row)];
      }
    }
  });
}

// LAPACK factorizes aᵀ = l qᵀ; read row by row, l is r = lᵀ and qᵀ is q.
void orthogonalize(const Matrices& m, const void* a, void* q, void* r) {
  const int rows = narrow(m.op, m.rows);
  const int columns = narrow(m.op, m.columns);
  const std::int64_t size = m.rows * m.columns;
  for_each_matrix(m.dtype, size == 0 ? 0 : m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    auto reflectors = elements<T>(q == nullptr ? size : 0);
    T* orthogonal = q == nullptr ? reflectors.data() : batch<T>(q, size)[i];
    T* triangle = batch<T>(r, m.columns * m.columns)[i];
    std::copy_n(batch<T>(a, size)[i], size, orthogonal);
    auto reflections = elements<T>(m.columns);
    int info = 0;
    with_workspace<T>([&](T* work, int work_size) {
      Lapack<T>::gelqf(&columns, &rows, orthogonal, &columns, reflections.data(), work, &work_size, &info);
    });
    for (std::int64_t row = 0; row < m.columns; ++row) {
      std::fill_n(triangle + row * m.columns, row, T{0});
      std::copy(orthogonal + row * m.columns + row, orthogonal + (row + 1) * m.columns,
                triangle + row * m.columns + row);
    }
    if (q == nullptr) {
      return;
    }
    with_workspace<T>([&](T* work, int work_size) {
      Lapack<T>::orglq(&columns, &rows, &columns, orthogonal, &columns, reflections.data(), work, &work_size, &info);
    });
  });
}

// The last rows of the orthogonal factor of qᵀ = l h, which is qᵀ itself, up to signs, above them. Read column by column, q is qᵀ.
void orthogonal_complement(const Matrices& m, const void* q, void* complement) {
  const int n = narrow(m.op, m.rows);
  const int k = narrow(m.op, m.columns);
  const std::int64_t rest = m.rows - m.columns;
  for_each_matrix(m.dtype, rest == 0 ? 0 : m.count, [&](auto zero, std::int64_t i) {
    using T = decltype(zero);
    const T* given = batch<T>(q, m.rows * m.columns)[i];
    auto whole = elements<T>(m.rows * m.rows);
    for (std::int64_t row = 0; row < m.rows; ++row) {
      std::copy_n(given + row * m.columns, m.columns, whole.data() + row * m.rows);
    }
    auto reflections = elements<T>(m.columns);
    int info = 0;
    with_workspace<T>([&](T* work, int work_size) {
      Lapack<T>::gelqf(&k, &n, whole.data(), &n, reflections.data(), work, &work_size, &info);
    });
    with_workspace<T>([&](T* work, int work_size) {
      Lapack<T>::orglq(&n, &n, &k, whole.data(), &n, reflections.data(), work, &work_size, &info);
    });
    T* columns = batch<T>(complement, m.rows * rest)[i];
    for (std::int64_t row = 0; row < m.rows; ++row) {
      std::copy_n(whole.data() + row * m.rows + m.columns, rest, columns + row * rest);
    }
  });
}

}  // namespace xgrad::kernels
