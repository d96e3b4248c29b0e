#pragma once

#include <string>
#include <vector>

#include "autograd/autograd.hpp"

/// \file
/// Functions with loops and branches, and the same functions without: what tests compare.

namespace xgrad::testing {

/// How a function is written.
enum class Written : std::uint8_t {
  looped,    ///< with scan, while_loop and cond
  unrolled,  ///< with a loop of C++, and where()
};

/// A function of three float64 tensors, a (3,), w (3, 3) and xs (4, 3), that gives one number.
struct LoopProgram {
  std::string name;
  Tensor (*function)(Written written, const Tensors& arguments);
  bool has_jvp = true;  ///< forward mode goes through it
};

/// All there are.
const std::vector<LoopProgram>& loop_programs();

/// Arguments that suit all of them. \param seed others for other seeds.
Tensors loop_arguments(unsigned seed);

}  // namespace xgrad::testing
