#pragma once

#include <cstdint>
#include <vector>

#include "autograd/loops/loop.hpp"

/// \file
/// Several steps of a loop as one.

namespace xgrad::plan {

/// The program of \p count steps of \p loop, one after the other, where one takes less than a call of it. Inputs are the index of
/// the first step, the carries, the slices of all steps, step by step, and what is captured; outputs the carries, and the wanted
/// results of all steps, step by step. \param wanted per output of a step.
Ref<const SubProgram> several_steps(const Loop& loop, const std::vector<bool>& wanted, std::int64_t count);

}  // namespace xgrad::plan
