#pragma once

#include <cstdint>
#include <vector>

#include "autograd/formula/program.hpp"

/// \file
/// Programs in the form in which kernels run them.

namespace xgrad::detail {

/// Steps on registers, ready for kernels::map or kernels::run_scalars: inputs, then constants, then temporaries.
template <class Instruction>
struct Code {
  using Kind = Instruction;
  using Register = decltype(Instruction::target);
  std::vector<Instruction> code;           ///< writes temporaries only
  Register register_count = 0;             ///< inputs, constants and temporaries
  std::vector<Register> result_registers;  ///< per result: holds it after the last instruction
  std::int64_t cost = 0;                   ///< of one element, in additions
};

struct MapCode : Code<kernels::Instruction> {};
struct ScalarCode : Code<kernels::ScalarInstruction> {};

/// The code that computes the results of \p program. A result may be any value, also an input, and may be named twice.
/// Steps that no result needs are left out; a step whose value one other step uses, once, is joined with it where there is
/// an instruction for both, which rounds like the two; a temporary's register is used again after its last use.
MapCode assemble(const Program& program);
/// The same for registers of one number each, in an order in which instructions of one code follow each other.
ScalarCode assemble_scalars(const Program& program);

}  // namespace xgrad::detail
