#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "autograd/formula/scalar.hpp"
#include "autograd/kernels/opcode.hpp"

/// \file
/// The table of scalar primitives: one row a primitive, one column a use.

namespace xgrad::detail {

/// What a primitive takes and gives.
enum class PrimitiveKind : std::uint8_t {
  arithmetic,  ///< numbers of any kind
  floating,    ///< floating numbers only
  comparison,  ///< numbers to a truth value
  logical,     ///< truth values to a truth value
  selection,   ///< where
};

inline constexpr int tightest = 9;  ///< the precedence of calls, names and numbers

/// A row of the table.
struct Primitive {
  kernels::Opcode code;     ///< what kernels call it
  std::string_view name;    ///< in texts and messages; part of hashes
  std::string_view symbol;  ///< of the operator that is written in its place; none: it is written as a call
  int precedence;           ///< of the operator, as in C++; larger binds tighter
  int operand_count;
  PrimitiveKind kind;
  int cost;  ///< of one element, in additions
  double (*evaluate)(double a, double b);
  /// d y / d a and d y / d b of y = code(a, b), as formulas; null where the derivative is zero.
  Scalar (*partial_a)(Scalar a, Scalar b, Scalar y);
  Scalar (*partial_b)(Scalar a, Scalar b, Scalar y);
};

extern const std::array<Primitive, kernels::primitive_count> primitives;

inline const Primitive& primitive(kernels::Opcode code) { return primitives[static_cast<std::size_t>(code)]; }

}  // namespace xgrad::detail
