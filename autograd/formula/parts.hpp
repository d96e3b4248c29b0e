#pragma once

#include <cstdint>
#include <vector>

#include "autograd/formula/derivatives.hpp"
#include "autograd/formula/formula.hpp"

/// \file
/// Formulas that follow from a formula.

namespace xgrad::detail {

/// Some derivatives of a formula, computed together: DerivativeProgram as a formula.
struct FormulaDerivative {
  Formula formula;
  std::vector<std::uint32_t> arguments;
  std::vector<DerivativeProgram::Place> places;
};

/// A part of a long formula: ProgramPiece as a formula.
struct FormulaPiece {
  Formula formula;
  std::vector<std::uint32_t> inputs;
  std::vector<std::uint32_t> outputs;
};

}  // namespace xgrad::detail
