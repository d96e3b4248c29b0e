#pragma once

#include <string>
#include <vector>

#include "tests/onnx/cases.hpp"

/// \file
/// Loops and branches, with derivatives, as functions to be written.

namespace xgrad::testing {

/// A function and inputs for it.
struct LoopCase {
  std::string name;
  TensorFunction function;
  std::vector<Tensors> inputs;
};

/// Scans in both directions, loops that stop, branches of both kinds, their gradients, and recurrent layers.
std::vector<LoopCase> loop_cases();

}  // namespace xgrad::testing
