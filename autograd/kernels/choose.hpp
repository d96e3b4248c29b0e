#pragma once

#include "autograd/kernels/isa/kernel_set.hpp"

namespace xgrad::kernels {

/// The loops for this CPU, chosen at the first call.
const KernelSet& chosen_kernels();

/// Whether rounded products are computed by tiles: where the CPU has AMX, XGRAD_ISA does not ask for less, the system permits
/// it, which the first call asks for, and a product that is tried has the right bits.
bool multiplies_by_tiles();

}  // namespace xgrad::kernels
