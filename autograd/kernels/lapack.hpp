#pragma once

#include <cstdint>

#include "autograd/array/dtype.hpp"

/// \file
/// Factorizations of many matrices, through LAPACK. Matrices are row-major, one after another, float32 or float64.
///
/// LAPACK is column-major: it takes a row-major matrix for its transpose. Each function here asks for the factorization
/// of the transpose that gives the wanted one of the matrix itself, so that nothing is copied to be transposed.

namespace xgrad::kernels {

/// Matrices of one size and type.
struct Matrices {
  const char* op;  ///< who asks, for errors
  DType dtype;
  std::int64_t count;
  std::int64_t rows;
  std::int64_t columns;
};

/// Right-hand sides: matrix i of \p x, with \p columns columns, belongs to matrix number matrix[i] of a system's left
/// sides, or of the factors of a linear map. They are overwritten by the solutions, or by what they are mapped to.
struct RightSides {
  void* x;
  std::int64_t count;
  std::int64_t columns;
  const std::int64_t* matrix;
};

/// aᵀ = pᵀ l u by elimination with row exchanges: both triangles in one matrix, and `rows` exchanges a matrix, as getrf
/// of LAPACK stores them. \throws ValueError for a singular matrix, with the number of the pivot.
void factorize_lu(const Matrices& m, const void* a, void* lu, int* exchanges);
/// Solves a x = b, or aᵀ x = b when \p transpose is set, for a matrix in the form that factorize_lu gives it.
void solve_lu(const Matrices& m, bool transpose, const void* lu, const int* exchanges, const RightSides& sides);
/// Solves a x = b, or aᵀ x = b, with a triangular matrix; the other triangle is not read.
/// \throws ValueError for a 0 on the diagonal, with its position.
/// With \p unit it is taken for 1 and not read.
void solve_triangular(const Matrices& m, bool lower, bool transpose, bool unit, const void* a, const RightSides& sides);
/// a⁻¹. \throws ValueError for a singular matrix, with the number of the pivot.
void invert(const Matrices& m, const void* a, void* inverse);

/// One number a matrix: its determinant.
void determinant(const Matrices& m, const void* a, void* det);
/// One number a matrix: the logarithm of its determinant, -inf for 0 and NaN for negative ones.
void log_determinant(const Matrices& m, const void* a, void* logdet);
/// Two numbers a matrix: the sign of its determinant (0 of a singular one) and the logarithm of its absolute value.
void sign_and_log_determinant(const Matrices& m, const void* a, void* sign, void* log);
/// det(a) a⁻ᵀ and its limit where a is singular: d det(a) / da. Where a is singular, or close to it, by singular values,
/// which takes some ten times as long as the inverse: with a = u diag(s) vᵀ it is det(u) det(v) u diag(p) vᵀ, where pᵢ is
/// the product of all s but sᵢ.
void cofactors(const Matrices& m, const void* a, void* cofactors);
/// The derivative of the cofactors in the direction da, always by singular values.
void cofactors_derivative(const Matrices& m, const void* a, const void* da, void* derivative);

/// The lower triangular l with a = l lᵀ; only the lower triangle of a is read.
/// \throws ValueError when a is not positive definite, with the order of the first leading minor that is not.
void cholesky(const Matrices& m, const void* a, void* l);
/// Replaces each side, a change of the symmetric a = l lᵀ, by the change of l that follows, or, when \p transpose is set,
/// a cotangent of l by that of a's lower triangle. Lower triangles are read; above them the results are 0.
void differentiate_cholesky(const Matrices& m, bool transpose, const void* l, const RightSides& sides);
/// a = v diag(w) vᵀ, w ascending; only the lower triangle of a is read.
/// \throws ValueError when an element is infinite or NaN.
void symmetric_eigen(const Matrices& m, const void* a, void* w, void* v);
/// a = u diag(s) vᵀ with k = min(rows, columns) singular values, descending; u is (rows, k), vᵀ is (k, columns).
/// \throws ValueError when an element is infinite or NaN.
void singular_values(const Matrices& m, const void* a, void* u, void* s, void* vt);
/// a = q r for rows ≥ columns: q has orthonormal columns and the shape of a, r is upper triangular.
/// Without q, where that is null.
void orthogonalize(const Matrices& m, const void* a, void* q, void* r);
/// Orthonormal columns (rows, rows - columns) that are orthogonal to those of q (rows, columns), which are orthonormal.
void orthogonal_complement(const Matrices& m, const void* q, void* complement);

}  // namespace xgrad::kernels
