#pragma once

#include <cstdint>
#include <vector>

#include "autograd/formula/program.hpp"

/// \file
/// Programs in the form in which kernels run them.

namespace xgrad::detail {

/// Steps on registers, ready for kernels::map: inputs, then constants, then temporaries.
struct MapCode {
  std::vector<kernels::Instruction> code;       ///< writes temporaries only
  std::uint16_t register_count = 0;             ///< inputs, constants and temporaries
  std::vector<std::uint16_t> result_registers;  ///< per result: holds it after the last instruction
  std::int64_t cost = 0;                        ///< of one element, in additions
};

/// The code that computes the results of \p program. A result may be any value, also an input, and may be named twice.
/// Steps that no result needs are left out; a step whose value one other step uses, once, is joined with it where there is
/// an instruction for both, which rounds like the two; a temporary's register is used again after its last use.
MapCode assemble(const Program& program);

}  // namespace xgrad::detail
