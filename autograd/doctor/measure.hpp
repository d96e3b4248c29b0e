#pragma once

#include "autograd/doctor/findings.hpp"

/// \file
/// How fast a machine is.

namespace xgrad::doctor {

/// How thorough a measurement is.
struct Effort {
  double seconds;     ///< spent on each figure, at least
  long product_side;  ///< of the square matrices
  long array_bytes;   ///< of the arrays beyond the caches
};

/// Measures on one thread and on runtime::num_threads(), which it leaves as it was.
/// \param cpu tells the frequency where it cannot be measured.
Measurements measure(const runtime::CpuInfo& cpu, const Effort& effort);

}  // namespace xgrad::doctor
