#pragma once

#include <cstdint>

/// \file
/// The scalar primitives that formulas are made of, and the form in which a formula reaches its kernel.

namespace xgrad::kernels {

/// One scalar primitive. Comparisons and logical primitives give 1 for true and 0 for false.
enum class Opcode : std::uint8_t {
  // clang-format off
  // one operand
  negative, abs, sign, exp, exp2, expm1, log, log2, log10, log1p, sqrt, cbrt, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh,
  acosh, atanh, erf, erfc, sigmoid, relu, floor, ceil, round, trunc, logical_not,
  // two operands
  add, subtract, multiply, divide, remainder, fmod, pow, maximum, minimum, atan2, hypot, less, less_equal, equal, not_equal,
  logical_and, logical_or,
  // three operands: condition, value if true, value if false
  where,
  // several primitives in one pass, each rounded like the primitive alone; only instructions have them, not formulas
  multiply_square,            // a * a * b
  multiply_square_add,        // a * a * b + c
  add_product_and_square,     // a * b + c * c * d
  multiply_add,               // a * b + c
  multiply_difference_add,    // (a - b) * c + d
  subtract_product,           // c - a * b
  add_products,               // a * b + c * d
  sqrt_product,               // sqrt(a * b)
  sqrt_product_add,           // sqrt(a * b) + c
  product_quotient,           // a * b / c
  subtract_product_quotient,  // d - a * b / c
  // clang-format on
};

inline constexpr int primitive_count = static_cast<int>(Opcode::where) + 1;                   ///< number of primitives
inline constexpr int opcode_count = static_cast<int>(Opcode::subtract_product_quotient) + 1;  ///< the joined ones too

/// `target = code(a, b, c, d)` on registers; operands that the primitive does not have are ignored.
struct Instruction {
  Opcode code;           ///< the primitive
  std::uint16_t target;  ///< register of the result
  std::uint16_t a;       ///< register of the first operand
  std::uint16_t b;       ///< register of the second operand
  std::uint16_t c;       ///< register of the third operand
  std::uint16_t d = 0;   ///< register of the fourth operand
};

/// The same on registers of one number each, of which there may be many.
struct ScalarInstruction {
  Opcode code;           ///< the primitive
  std::uint16_t alike;   ///< how many have this code from here on, none of which uses another's result; or fewer, but 1
  std::uint32_t target;  ///< register of the result
  std::uint32_t a;       ///< register of the first operand
  std::uint32_t b;       ///< register of the second operand
  std::uint32_t c;       ///< register of the third operand
  std::uint32_t d = 0;   ///< register of the fourth operand
};

}  // namespace xgrad::kernels
