#pragma once

#include "autograd/kernels/opcode.hpp"

/// \file
/// Which instructions are worth running in one loop.

namespace xgrad::kernels {

/// Operand \ref position of the second instruction is what the first one gives.
struct Chain {
  Opcode first;
  Opcode second;
  int position;
};

/// Roots and quotients take the divider many cycles, in which the processor can compute what comes before the next one. These
/// are Adam's second moment and its root, and its first moment and the weight.
inline constexpr Chain chains[] = {
    {Opcode::add_product_and_square, Opcode::sqrt_product_add, 0},
    {Opcode::multiply_difference_add, Opcode::subtract_product_quotient, 1},
};

inline constexpr int chain_count = static_cast<int>(sizeof(chains) / sizeof(Chain));

}  // namespace xgrad::kernels
