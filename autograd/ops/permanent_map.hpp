#pragma once

#include <initializer_list>

#include "autograd/formula/formula.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/tensor.hpp"

/// \file
/// Formulas that never change: their operation is made once.

namespace xgrad::detail {

/// The operation that maps \p formula, for all nodes to share. It is never destroyed.
const AnyOperation* permanent_map(const Formula& formula);

/// What a permanent_map() gives on these operands.
Tensor apply_map(const AnyOperation& operation, std::initializer_list<Operand> operands);

}  // namespace xgrad::detail
