#pragma once

/// \file
/// The gamma function.

namespace xgrad::kernels {

/// log |Γ(x)|.
double log_gamma(double x);

}  // namespace xgrad::kernels
