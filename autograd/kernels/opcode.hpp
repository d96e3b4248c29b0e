#pragma once

#include <cstdint>

/// \file
/// The scalar primitives that formulas are made of, and the form in which a formula reaches its kernel.

namespace xgrad::kernels {

/// One scalar primitive. Comparisons and logical primitives give 1 for true and 0 for false.
enum class Opcode : std::uint8_t {
  // clang-format off
  // one operand
  negative, abs, sign, exp, expm1, log, log1p, sqrt, cbrt, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh,
  acosh, atanh, erf, sigmoid, relu, floor, ceil, round, trunc, logical_not,
  // two operands
  add, subtract, multiply, divide, remainder, pow, maximum, minimum, atan2, hypot, less, less_equal, equal, not_equal,
  logical_and, logical_or,
  // three operands: condition, value if true, value if false
  where,
  // clang-format on
};

inline constexpr int opcode_count = static_cast<int>(Opcode::where) + 1;  ///< number of primitives

/// `target = code(a, b, c, d)` on registers; operands that the primitive does not have are ignored.
struct Instruction {
  Opcode code;           ///< the primitive
  std::uint16_t target;  ///< register of the result
  std::uint16_t a;       ///< register of the first operand
  std::uint16_t b;       ///< register of the second operand
  std::uint16_t c;       ///< register of the third operand
  std::uint16_t d = 0;   ///< register of the fourth operand
};

}  // namespace xgrad::kernels
