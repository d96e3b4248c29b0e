// The headers of the loops, compiled once per instruction set.
#include "autograd/kernels/isa/expand.hpp"
#include "autograd/kernels/isa/kernel_set.hpp"
#include "autograd/kernels/isa/simd.hpp"
