#pragma once

#include "autograd/kernels/kernels.hpp"

/// \file
/// Products where there is no kernel of our own: on CPUs without fused multiply-adds.

namespace xgrad::kernels {

/// \throws ShapeError for an axis longer than BLAS can count.
void multiply_by_blas(const ProductCall& call);

}  // namespace xgrad::kernels
