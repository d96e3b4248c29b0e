#pragma once

#include <functional>
#include <vector>

#include "autograd/array/array.hpp"
#include "autograd/ops/require_finite.hpp"
#include "autograd/plan/report/scaling.hpp"
#include "autograd/plan/run/executable.hpp"

/// \file
/// How it is found out what more cores would do for a plan.

namespace xgrad::plan {

/// Runs \p plan on one thread, taking the time of each piece, in turn with runs on the numbers of threads there are.
/// \param arguments as for a run; nobody else holds those that the plan writes over.
/// \param explain is called while the error of a run is handled, with what that has read, and throws.
ScalingReport measure_scaling(
    const Executable& plan, std::vector<Array> arguments, int repetitions,
    const std::function<void(const NotFiniteError& error, const std::vector<Array>& read)>& explain);

}  // namespace xgrad::plan
