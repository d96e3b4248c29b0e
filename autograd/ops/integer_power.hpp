#pragma once

#include "autograd/graph/tensor.hpp"

/// \file
/// Powers of integers by integers. Not installed.

namespace xgrad {

/// aᵇ of integers, in their wider type, wrapped as products are; `a.where()` is named by errors.
/// \throws ValueError, when it is computed, for a negative exponent.
Tensor integer_power(const Operand& a, const Operand& b);

}  // namespace xgrad
