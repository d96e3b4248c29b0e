#pragma once

#include <cstdint>

/// \file
/// What this CPU can do.

namespace xgrad::runtime {

/// The instruction sets that code exists for, each including the one before.
enum class InstructionSet : std::uint8_t {
  baseline,  ///< what every CPU of this architecture has
  avx2,      ///< x86-64 with AVX2 and FMA
  avx512,    ///< x86-64 with AVX-512 F, CD, BW, DQ and VL
};

/// `baseline`, `avx2` or `avx512`.
const char* to_string(InstructionSet set);

/// The best one that the CPU and the operating system support.
InstructionSet supported_instruction_set();

}  // namespace xgrad::runtime
