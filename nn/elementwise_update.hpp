#pragma once

#include <optional>
#include <vector>

#include "autograd/graph/variable.hpp"
#include "nn/layer.hpp"

/// \file
/// Internal: updates that take each element of a parameter by itself.

namespace xgrad::nn::detail {

/// Of each of \p parameters, the variables of its shape that \p updates assign beside it, such as moments: when each element
/// of both depends on no more than the elements at its place, of \p gradients, too, and on numbers that all share. Nothing
/// when that is not so, or when \p updates leave out a parameter.
std::optional<std::vector<Variables>> elementwise_memories(const std::vector<Assignment>& updates,
                                                           const Variables& parameters, const Tensors& gradients);

}  // namespace xgrad::nn::detail
