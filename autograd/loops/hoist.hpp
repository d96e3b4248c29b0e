#pragma once

#include "autograd/loops/loop.hpp"

/// \file
/// Products that leave a loop. Not installed.

namespace xgrad::detail {

/// Moves products of slices with what is the same in all steps in front of the loop: x W for every step is one product, whose
/// slices take its place. Products that would take much memory stay.
/// \param loop whose body changes. \param inputs of the loop, which get more slices.
void hoist_products(Loop& loop, LoopInputs& inputs);
/// The products that hoist_products would move: bytes of one step.
std::int64_t hoisted_bytes(const Loop& loop);

}  // namespace xgrad::detail
