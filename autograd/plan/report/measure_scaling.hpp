#pragma once

#include <vector>

#include "autograd/array/array.hpp"
#include "autograd/plan/report/scaling.hpp"
#include "autograd/plan/run/executable.hpp"

/// \file
/// How it is found out what more cores would do for a plan.

namespace xgrad::plan {

/// Runs \p plan on one thread, taking the time of each piece, in turn with runs on the numbers of threads there are.
/// \param arguments as for a run; nobody else holds those that the plan writes over.
ScalingReport measure_scaling(const Executable& plan, std::vector<Array> arguments, int repetitions);

}  // namespace xgrad::plan
