#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "autograd/graph/spec.hpp"
#include "autograd/graph/tensor.hpp"
#include "nn/ranks.hpp"

/// \file
/// Internal: sums over parts of a batch, in one order.

namespace xgrad::nn::detail {

/// The sum of up to \p parts tensors in a binary tree: (t0 + t1) + (t2 + t3) of four. Of fewer, the first ones are there.
/// \p parts is a power of two, or there is one tensor.
Tensor tree_sum(std::span<const Tensor> tensors, std::size_t parts);

/// What adds nothing to any number: -0, as 0 + -0 = 0 and -0 + -0 = -0.
Tensor nothing_to_add(const Spec& spec);

/// Which of \p tensors, by their places, ranks send as one vector: all of one dtype, but large ones each by itself, as copying
/// them together would take longer than another message. Dtypes are those that all_reduced() adds up in.
std::vector<std::vector<std::size_t>> sent_together(const Tensors& tensors);

/// Ranks::all_reduce of each, of any dtype: float32 and float64 as they are, bfloat16 as float32, integers and booleans as
/// int64; the sum is cast back.
Tensors all_reduced(const Ranks& ranks, const Tensors& tensors);

/// The tensors' elements, one after the other.
Tensor flat(const Tensors& tensors);
/// The elements of \p flat from \p first on in \p shape.
Tensor shaped(const Tensor& flat, std::int64_t first, const Shape& shape);

}  // namespace xgrad::nn::detail
