#pragma once

#include <string>

#include "autograd/doctor/findings.hpp"

/// \file
/// Findings as text.

namespace xgrad::doctor {

/// Everything in aligned lines under the headings CPU, BLAS, xgrad, Ranks (where mpirun started it), Measured and
/// Advice.
std::string report(const Findings& findings);

}  // namespace xgrad::doctor
