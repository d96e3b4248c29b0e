#pragma once

#include "autograd/graph/subprogram.hpp"

/// \file
/// What the backward pass of a loop keeps of the forward pass. Not installed.

namespace xgrad::detail {

/// The values of \p program that \p derivatives, computed from its inputs, its values and cotangents, are to read from memory:
/// outputs of its nodes, and those of its inputs that are \p carries, which are gone otherwise. What is cheap to compute from
/// what is there anyway is computed again; so is what is larger than what it is computed from.
Tensors choose_residuals(const SubProgram& program, const Tensors& carries, const Tensors& derivatives);

}  // namespace xgrad::detail
