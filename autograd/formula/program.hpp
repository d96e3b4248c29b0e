#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "autograd/kernels/opcode.hpp"

/// \file
/// Computations on scalars as data: what formulas, their derivatives and the fused steps of plans are.

namespace xgrad {

/// What is computed from some numbers, step by step. The values are numbered: inputs first, then constants, then one per
/// step.
struct Program {
  /// One primitive, applied to earlier values.
  struct Step {
    kernels::Opcode code;                        ///< the primitive
    std::array<std::uint32_t, 3> operands = {};  ///< the values it is applied to, 0 where it takes fewer
    /// Same primitive, same operands.
    friend bool operator==(const Step&, const Step&) = default;
  };

  std::size_t input_count = 0;         ///< how many numbers it takes
  std::vector<double> constants;       ///< each different one once
  std::vector<Step> steps;             ///< in order: every step uses earlier values only
  std::vector<std::uint32_t> results;  ///< the values that it gives, in order
  bool floating_only = false;          ///< it was written for floating numbers, though its steps take integers as well

  std::size_t first_step() const { return input_count + constants.size(); }  ///< number of the first step's value
  std::size_t value_count() const { return first_step() + steps.size(); }    ///< inputs, constants and steps
  bool is_step(std::uint32_t value) const { return value >= first_step(); }  ///< rather than an input or a constant
  bool is_input(std::uint32_t value) const { return value < input_count; }   ///< rather than a constant or a step
  /// Same computation; constants are compared by their bits.
  friend bool operator==(const Program& a, const Program& b);
};

namespace detail {

/// The values that a step uses.
std::span<const std::uint32_t> operands_of(const Program::Step& step);

/// Which values the results need, per number.
std::vector<bool> needed_values(const Program& program);

/// The same computation without the constants and steps that no result needs. With \p used_inputs, inputs that are not
/// needed are left out, too, and the others listed.
Program pruned(const Program& program, std::vector<std::uint32_t>* used_inputs = nullptr);

/// The same computation, its constants and steps in the order in which the results come to them, operand by operand; without
/// those that no result needs. The order of recording is not the same everywhere: which argument of a call is evaluated
/// first is the compiler's choice.
Program in_order_of_results(const Program& program);

/// The same in every process and on every machine; equal for equal programs.
std::uint64_t hash_of(const Program& program);

}  // namespace detail

}  // namespace xgrad
