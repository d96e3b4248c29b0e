#pragma once

#include <cstdint>

#include "autograd/graph/tensor.hpp"

/// \file
/// The table of contents of linear algebra beyond products: what LAPACK computes, with derivatives of any order.
///
/// All functions take float32 and float64 matrices on the last two axes; axes in front are many matrices at once. They
/// throw ShapeError for operands that are not matrices, not square or do not fit, and DTypeError for other element
/// types, both at once; and when the elements are computed ValueError for matrices that have no solution, with the
/// number of the pivot. Functions of a symmetric matrix read the symmetric part (a + aᵀ) / 2 of what they are given, so
/// their gradients are symmetric.

/// Inverses, solutions and factorizations of matrices.
namespace xgrad::linalg {

/// \name Systems of equations
/// \{

/// The inverse. \throws ValueError for a singular matrix.
Tensor inv(const Operand& a);

/// The determinant; 0 of a singular matrix, whose gradient, the cofactors, is exact too, but takes singular values and
/// with them longer. Second derivatives need an inverse.
Tensor det(const Operand& a);

/// The natural logarithm of the determinant, which over- and underflows later than the determinant does: -inf where
/// that is 0, NaN where it is negative.
Tensor logdet(const Operand& a);

/// Sign and logarithm of the absolute value of determinants.
struct SlogDet {
  Tensor sign;       ///< (..), 1 or -1, or 0 of a singular matrix; without a derivative
  Tensor logabsdet;  ///< (..), log |det a|, -inf of a singular matrix
};
/// The determinant as sign · exp(logabsdet), also where it is negative, or too large or small for a number.
SlogDet slogdet(const Operand& a);

/// The solution x of a x = b, where \p b is (.., n, k) or a vector (n,). Axes in front broadcast; each matrix is
/// factorized once, however many right-hand sides it meets. \throws ValueError for a singular matrix.
Tensor solve(const Operand& a, const Operand& b);

/// solve with a triangular matrix: lower triangular, or upper triangular when \p lower is false. The other triangle is
/// not read and gets no gradient. \throws ValueError for a 0 on the diagonal.
Tensor solve_triangular(const Operand& a, const Operand& b, bool lower = true);

/// On which side of x the triangular matrix stands.
enum class Side : std::uint8_t {
  left,   ///< a x = b
  right,  ///< x a = b, where b is (.., k, n) or a vector (n,)
};
/// What is on the diagonal of a triangular matrix.
enum class Diagonal : std::uint8_t {
  given,  ///< its elements
  unit,   ///< ones: its elements are not read and get no gradient
};
/// solve with a triangular matrix on either side, whose diagonal may be known to be 1.
Tensor solve_triangular(const Operand& a, const Operand& b, bool lower, Side side, Diagonal diagonal = Diagonal::given);
/// \}

/// \name Norms
/// \{

/// The norm (Σ |x|ᵖ)^(1 / p) of all elements of the axes, for any order p, without overflow on the way: also the largest
/// (p = ∞) and the smallest |x| (p = -∞), and for p = 0 the number of elements that are not 0, whose derivative is 0.
/// Derivatives are those of PyTorch where x is 0 or elements tie: 0, and equal shares.
/// \throws ValueError for an order that is NaN.
/// \throws ShapeError for the smallest or largest of no elements.
Tensor vector_norm(const Operand& x, double order = 2, const Axes& axes = {}, bool keepdims = false);

/// Norms of matrices, with the names that NumPy and PyTorch give them.
enum class MatrixNorm : std::uint8_t {
  fro,        ///< Frobenius': √Σ x²
  nuc,        ///< nuclear: the sum of the singular values
  one,        ///< 1: the largest sum of |x| of a column
  minus_one,  ///< -1: the smallest sum of |x| of a column
  inf,        ///< ∞: the largest sum of |x| of a row
  minus_inf,  ///< -∞: the smallest sum of |x| of a row
  two,        ///< 2: the largest singular value
  minus_two,  ///< -2: the smallest singular value
};
/// A norm (..) of matrices (.., m, n); with \p keepdims (.., 1, 1).
Tensor matrix_norm(const Operand& a, MatrixNorm order = MatrixNorm::fro, bool keepdims = false);
/// \}

/// \name Factorizations
/// Derivatives of eigenvectors and singular vectors exist where eigenvalues and singular values are distinct (and
/// singular values nonzero, for matrices that are not square); elsewhere they come out infinite or NaN. So do second
/// derivatives of the eigenvalues and singular values themselves.
/// \{

/// The lower triangular l, with positive diagonal, of a = l lᵀ. \throws ValueError when \p a is not positive definite.
Tensor cholesky(const Operand& a);

/// Eigenvalues (.., n), ascending, and the eigenvectors (.., n, n) in columns, orthonormal.
struct Eigh {
  Tensor values;   ///< (.., n), ascending
  Tensor vectors;  ///< (.., n, n), one eigenvector per column
};
/// a = vectors diag(values) vectorsᵀ of a symmetric matrix; the sign of each eigenvector is arbitrary.
/// \throws ValueError when an element is infinite or NaN.
Eigh eigh(const Operand& a);
/// The eigenvalues of a symmetric matrix, ascending. \throws ValueError when an element is infinite or NaN.
Tensor eigvalsh(const Operand& a);

/// The singular values s (.., k), descending, the left singular vectors u (.., m, k) in columns and the right ones
/// vt (.., k, n) in rows, both orthonormal, where k = min(m, n).
struct Svd {
  Tensor u;   ///< (.., m, k), left singular vectors in columns
  Tensor s;   ///< (.., k), descending
  Tensor vt;  ///< (.., k, n), right singular vectors in rows
};
/// The singular value decomposition a = u diag(s) vt; the sign of each pair of vectors is arbitrary.
/// \throws ValueError when an element is infinite or NaN.
Svd svd(const Operand& a);
/// With \p full_matrices u is (.., m, m) and vt (.., n, n): the vectors beyond the first k complete them to orthonormal bases.
/// They are arbitrary. So u and vt have no derivatives then, where they are larger than those of svd(a): asking is an error.
Svd svd(const Operand& a, bool full_matrices);
/// The singular values, descending. \throws ValueError when an element is infinite or NaN.
Tensor svdvals(const Operand& a);

/// q (.., m, k) with orthonormal columns and r (.., k, n), upper triangular, where k = min(m, n).
struct Qr {
  Tensor q;  ///< (.., m, k), orthonormal columns
  Tensor r;  ///< (.., k, n), upper triangular
};
/// a = q r; the signs of the diagonal of r are arbitrary. Derivatives need the first k columns to be linearly
/// independent.
Qr qr(const Operand& a);

/// Which q and r.
enum class QrMode : std::uint8_t {
  reduced,   ///< q (.., m, k) and r (.., k, n), as above
  complete,  ///< q (.., m, m) and r (.., m, n); columns beyond the first k are arbitrary, and q has no derivative
};
/// a = q r with the smallest factors, or with a square q. For r alone ask for r alone: q is not computed then.
Qr qr(const Operand& a, QrMode mode);
/// \}

}  // namespace xgrad::linalg
