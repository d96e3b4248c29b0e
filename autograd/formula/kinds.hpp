#pragma once

#include <vector>

#include "autograd/formula/program.hpp"

/// \file
/// Which values of a program are truth values and which are numbers, and what kind of numbers it needs.

namespace xgrad::detail {

/// What operands a program takes and what it gives.
struct FormulaKinds {
  std::vector<bool> condition_inputs;  ///< per input: used as a truth value, so it must be boolean
  std::vector<bool> boolean_results;   ///< per result: a truth value
  bool arithmetic = false;             ///< computes with numbers, rather than compares and selects only
  bool floating_only = false;          ///< uses a primitive that integers do not have, or a fractional constant
  bool divides = false;                ///< by numbers that may be 0, which fails with integers
};

/// \throws ValueError when truth values and numbers are mixed up.
FormulaKinds infer_kinds(const Program& program);

/// Per value whether it is a truth value. Constants may serve as either; they count as numbers.
/// \throws ValueError when truth values and numbers are mixed up.
std::vector<bool> find_truth_values(const Program& program);

}  // namespace xgrad::detail
