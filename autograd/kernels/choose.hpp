#pragma once

#include "autograd/kernels/isa/kernel_set.hpp"

namespace xgrad::kernels {

/// The loops for this CPU, chosen at the first call.
const KernelSet& chosen_kernels();

/// What multiplies factors that are rounded to bfloat16.
struct RoundedProducts {
  ProductKernels kernels;
  const char* instructions;  ///< made for it: `AMX` or `AVX-512 BF16`; empty where there are none
};

/// Instructions that were made for it are used where the CPU has them, XGRAD_ISA does not ask for less, the system permits
/// them, which the first call asks for, and a product that is tried has the bits that it has without them.
const RoundedProducts& rounded_products();

}  // namespace xgrad::kernels
