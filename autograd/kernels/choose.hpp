#pragma once

#include "autograd/kernels/isa/kernel_set.hpp"

namespace xgrad::kernels {

/// The loops for this CPU, chosen at the first call.
const KernelSet& chosen_kernels();

}  // namespace xgrad::kernels
