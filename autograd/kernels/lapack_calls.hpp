#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <cblas.h>

#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/lapack.hpp"
#include "autograd/runtime/blas.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/workers.hpp"

/// \file
/// LAPACK's own functions, chosen by element type, and what calling them for many matrices takes.

// LAPACK as OpenBLAS exports it. The wrappers of xtensor-blas want column-major containers, copy row-major ones and give
// no pivots in their errors. Fortran passes the length of each string at the end.
extern "C" {
using Length = std::size_t;
void sgetrf_(const int* m, const int* n, float* a, const int* lda, int* ipiv, int* info);
void dgetrf_(const int* m, const int* n, double* a, const int* lda, int* ipiv, int* info);
void sgetri_(const int* n, float* a, const int* lda, const int* ipiv, float* work, const int* lwork, int* info);
void dgetri_(const int* n, double* a, const int* lda, const int* ipiv, double* work, const int* lwork, int* info);
void sgecon_(const char* norm, const int* n, const float* a, const int* lda, const float* anorm, float* rcond,
             float* work, int* iwork, int* info, Length);
void spotrf_(const char* uplo, const int* n, float* a, const int* lda, int* info, Length);
void dgecon_(const char* norm, const int* n, const double* a, const int* lda, const double* anorm, double* rcond,
             double* work, int* iwork, int* info, Length);
void dpotrf_(const char* uplo, const int* n, double* a, const int* lda, int* info, Length);
void ssyevd_(const char* jobz, const char* uplo, const int* n, float* a, const int* lda, float* w, float* work,
             const int* lwork, int* iwork, const int* liwork, int* info, Length, Length);
void dsyevd_(const char* jobz, const char* uplo, const int* n, double* a, const int* lda, double* w, double* work,
             const int* lwork, int* iwork, const int* liwork, int* info, Length, Length);
void sgesdd_(const char* jobz, const int* m, const int* n, float* a, const int* lda, float* s, float* u, const int* ldu,
             float* vt, const int* ldvt, float* work, const int* lwork, int* iwork, int* info, Length);
void dgesdd_(const char* jobz, const int* m, const int* n, double* a, const int* lda, double* s, double* u,
             const int* ldu, double* vt, const int* ldvt, double* work, const int* lwork, int* iwork, int* info,
             Length);
void sgelqf_(const int* m, const int* n, float* a, const int* lda, float* tau, float* work, const int* lwork,
             int* info);
void dgelqf_(const int* m, const int* n, double* a, const int* lda, double* tau, double* work, const int* lwork,
             int* info);
void sorglq_(const int* m, const int* n, const int* k, float* a, const int* lda, const float* tau, float* work,
             const int* lwork, int* info);
void dorglq_(const int* m, const int* n, const int* k, double* a, const int* lda, const double* tau, double* work,
             const int* lwork, int* info);
}

namespace xgrad::kernels {

template <class T>
struct Lapack;

template <>
struct Lapack<float> {
  static constexpr auto* getrf = sgetrf_;
  static constexpr auto* getri = sgetri_;
  static constexpr auto* gecon = sgecon_;
  static constexpr auto* potrf = spotrf_;
  static constexpr auto* syevd = ssyevd_;
  static constexpr auto* gesdd = sgesdd_;
  static constexpr auto* gelqf = sgelqf_;
  static constexpr auto* orglq = sorglq_;
  static constexpr auto* trsm = cblas_strsm;
  static constexpr auto* symm = cblas_ssymm;
  static constexpr auto* syr2k = cblas_ssyr2k;
  static constexpr auto* gemm = cblas_sgemm;
};

template <>
struct Lapack<double> {
  static constexpr auto* getrf = dgetrf_;
  static constexpr auto* getri = dgetri_;
  static constexpr auto* gecon = dgecon_;
  static constexpr auto* potrf = dpotrf_;
  static constexpr auto* syevd = dsyevd_;
  static constexpr auto* gesdd = dgesdd_;
  static constexpr auto* gelqf = dgelqf_;
  static constexpr auto* orglq = dorglq_;
  static constexpr auto* trsm = cblas_dtrsm;
  static constexpr auto* symm = cblas_dsymm;
  static constexpr auto* syr2k = cblas_dsyr2k;
  static constexpr auto* gemm = cblas_dgemm;
};

// The matrices of a buffer, each of which takes `size` elements.
template <class T>
struct Batch {
  T* data;
  std::int64_t size;

  T* operator[](std::int64_t number) const { return data + number * size; }
};

template <class T>
Batch<T> batch(void* data, std::int64_t size) {
  return {static_cast<T*>(data), size};
}
template <class T>
Batch<const T> batch(const void* data, std::int64_t size) {
  return {static_cast<const T*>(data), size};
}

template <class T>
std::vector<T> elements(std::int64_t count) {
  return std::vector<T>(static_cast<std::size_t>(count));
}

inline int narrow(const char* op, std::int64_t size) {
  if (size > std::numeric_limits<int>::max()) {
    raise<ShapeError>(op, phrase("an axis of {} is longer than LAPACK can count; split the matrix", size));
  }
  return static_cast<int>(size);
}

// `the matrix`, or of several `matrix 2 of 5`.
inline std::string describe(const Matrices& m, std::int64_t number) {
  return m.count == 1 ? "the matrix" : phrase("matrix {} of {}", number, m.count);
}

template <class T>
bool all_finite(const T* data, std::int64_t count) {
  return kernels::all_finite(dtype_of<T>(), data, count);
}

// Calls body(zero, number) for every matrix, on the workers; zero is of the type of the elements.
template <class Body>
void for_each_matrix(DType dtype, std::int64_t count, const Body& body) {
  runtime::prepare_blas();
  runtime::parallel_for(count, [&](std::int64_t number) {
    const runtime::SerialBlas serial;
    dispatch_floating(dtype, [&](auto zero) { body(zero, number); });
  });
}

// Calls a LAPACK function twice: it first says how large a workspace it wants.
template <class T, class F>
void with_workspace(const F& call) {
  T wanted = 0;
  call(&wanted, -1);
  wanted = std::nextafter(std::max(wanted, T{1}), std::numeric_limits<T>::max());  // a float may have rounded it down
  auto work = elements<T>(static_cast<std::int64_t>(std::ceil(wanted)));
  call(work.data(), static_cast<int>(work.size()));
}

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

// The inverse in place of the factors that copy_and_eliminate gives.
template <class T>
void invert_factors(int n, T* lu, const int* exchanges) {
  if (n > 0) {
    with_workspace<T>([&](T* work, int work_size) {
      int info = 0;
      Lapack<T>::getri(&n, lu, &n, exchanges, work, &work_size, &info);
    });
  }
}

}  // namespace xgrad::kernels
