#pragma once

#include <cstddef>
#include <string_view>

#include "autograd/array/dtype.hpp"
#include "autograd/array/slice.hpp"
#include "autograd/graph/node.hpp"
#include "autograd/graph/rules.hpp"
#include "autograd/graph/tensor.hpp"

/// \file
/// What ops need that are made of others: checks of operands in their own name, and parts of them. Not installed.

namespace xgrad {

/// \throws DTypeError `[op]` unless \p dtype is floating.
void require_floating(std::string_view op, DType dtype);

/// \throws DTypeError `[op]` for what is for storage.
void require_countable(std::string_view op, DType dtype);
/// \throws DTypeError `[op]` for bfloat16, of which there are no sums.
void require_summable(std::string_view op, DType dtype);

/// Indices of any integer type, uint8 labels included, as int64. \throws DTypeError `[op]` for other types.
Tensor as_indices(std::string_view op, const Operand& indices);

/// The inputs of a vmap rule, all of them with the axis of samples in front: those without are broadcast.
Tensors all_batched(const Node& node, const BatchedInputs& in);
/// The same for an operation that gives input 0 on, which has that axis then; the others are as they come.
Tensors first_batched(const Node& node, const BatchedInputs& in);

/// x[.., selection, ..] on one axis.
Tensor on_axis(const Tensor& x, std::size_t axis, const Slice& selection);

}  // namespace xgrad
