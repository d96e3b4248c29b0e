#pragma once

#include "autograd/graph/tensor.hpp"

/// \file
/// Ops whose results have as many elements as their operands say: they read elements when they are called. Inside a compiled
/// function, a loop or `vmap`, where there are none yet, they throw ValueError; there `where` and sorting do.

namespace xgrad {

/// The different elements of a tensor, and how they make it up.
struct Unique {
  Tensor values;   ///< (k,), ascending; NaN once, and last
  Tensor indices;  ///< int64 (k,): where each is first, in the flattened tensor
  Tensor inverse;  ///< int64, of the shape of the tensor: values[inverse] is the tensor
  Tensor counts;   ///< int64 (k,): how often each is there
};

/// The different elements of x in any shape and dtype, as NumPy's unique. Values have derivatives: those of the first element
/// of each.
Unique unique(const Operand& x);

/// Positions (k, ndim) of the k elements that are not 0 (or false), in row-major order, int64. NaN is not 0.
Tensor argwhere(const Operand& x);

/// Elements (k,) of x where a boolean mask is true, in row-major order; x and the mask broadcast against each other. The mask
/// alone is read: x may be traced, and has derivatives. \throws DTypeError for a mask that is not boolean.
Tensor masked_select(const Operand& x, const Operand& mask);

}  // namespace xgrad
