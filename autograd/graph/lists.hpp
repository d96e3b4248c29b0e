#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "autograd/graph/tensor.hpp"

/// \file
/// Lists of tensors, as sub-programs and their rules put them together and take them apart. Not installed.

namespace xgrad::detail {

/// \p more behind \p list.
void append(Tensors& list, const Tensors& more);
/// A list of both.
Tensors joined(Tensors first, const Tensors& second);
/// \p count tensors of \p list from number \p first on.
Tensors part_of(std::span<const Tensor> list, std::size_t first, std::size_t count);
/// Bytes of all elements.
std::int64_t bytes_of(std::span<const Tensor> tensors);
/// What stands for a tensor like this one in a sub-program.
Tensor placeholder_like(const Tensor& tensor);
/// What stands for the derivative of, or with respect to, a tensor like this one in a sub-program.
Tensor placeholder_of_derivative(const Tensor& tensor);

}  // namespace xgrad::detail
