#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "autograd/formula/program.hpp"
#include "autograd/graph/spec.hpp"
#include "autograd/kernels/opcode.hpp"

/// \file
/// A program on single numbers, to see which primitive gave NaN or an infinity. Not installed.

namespace xgrad::provenance {

/// A primitive that gave what is not finite.
struct Primitive {
  kernels::Opcode code;
  std::vector<double> operands;
  double result;
};

/// `log(0) is -inf`, `1 / 0 is inf`.
std::string text_of(const Primitive& primitive);

/// What the walk back through a program came to.
struct ProgramSource {
  std::optional<Primitive> birth;      ///< a primitive that gave what is not finite, of finite numbers
  std::optional<Primitive> turn;       ///< one that gave NaN of infinite ones
  std::optional<std::uint32_t> input;  ///< an input that is not finite
  bool is_constant = false;            ///< a constant of the program is not finite
  std::optional<std::uint32_t> worst;  ///< the input that a birth owes most to
};

/// Runs \p program on single numbers in \p dtype, floating, and goes back from a result that is not finite.
/// \return nothing in it when the result is finite.
ProgramSource trace_program(const Program& program, DType dtype, const std::vector<double>& inputs, std::size_t result);

}  // namespace xgrad::provenance
