#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/lapack.hpp"

/// \file
/// What operations on matrices, held on the last two axes, share.

namespace xgrad {

/// (.., m, n) as (.., n, m).
Tensor transposed(const Tensor& x);
/// A vector (.., n) as a diagonal matrix (.., n, n).
Tensor diagonal_matrix(const Tensor& x);
/// Numbers (..) as (.., 1, 1), to meet matrices.
Tensor as_matrices(const Tensor& numbers);

/// The axes in front of the matrices.
Shape leading_axes(const Shape& shape);
/// Leading axes followed by others.
Shape joined(const Shape& leading, std::initializer_list<std::int64_t> own);

/// \throws DTypeError, ShapeError when \p x is not made of floating matrices.
void require_matrices(std::string_view op, const Tensor& x);
/// \throws DTypeError, ShapeError when \p x is not made of floating square matrices.
void require_square(std::string_view op, const Tensor& x);

/// The solution x of a x = b, or of aᵀ x = b, with a triangular matrix.
Tensor solve_with_triangle(const Tensor& a, const Tensor& b, bool lower, bool transpose);

/// The matrices of an operand, for a kernel.
kernels::Matrices matrices(std::string_view op, const ConstView& x);

/// The right-hand sides of \p a, which are \p b broadcast into the memory of the result \p x.
class BroadcastSides {
 public:
  BroadcastSides(const ConstView& a, const ConstView& b, const View& x);

  const kernels::RightSides& sides() const { return sides_; }  ///< for a kernel, while this object lives

 private:
  std::vector<std::int64_t> matrix_;
  kernels::RightSides sides_;
};

}  // namespace xgrad
