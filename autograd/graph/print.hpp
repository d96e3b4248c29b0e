#pragma once

#include <span>
#include <string>

#include "autograd/graph/tensor.hpp"

/// \file
/// The graph as text.

namespace xgrad {

/// The graph that computes \p outputs as numbered lines, one per node:
///
///     %0 = variable float32(784, 128)  'weight'
///     %1 = matmul(%2, %0) float32(64, 128)
std::string print_graph(std::span<const Tensor> outputs);
/// What a tensor is, with its shape and dtype: `tensor({ 1.,  2.}, shape=(2,), dtype=float32)`. \throws as printing does.
std::string repr(const Tensor& tensor);

/// The graph of one tensor as numbered lines.
std::string print_graph(const Tensor& output);

}  // namespace xgrad
