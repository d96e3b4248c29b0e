#pragma once

#include "autograd/kernels/opcode.hpp"

/// \file
/// Elementary functions of single doubles, where code outside of kernels needs one: the same bits as map's, on every CPU and
/// with every C library.

namespace xgrad::kernels {

/// A primitive of one or two operands, such as Opcode::exp or Opcode::pow.
double elementary(Opcode code, double a, double b = 0);

}  // namespace xgrad::kernels
