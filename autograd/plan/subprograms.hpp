#pragma once

#include <memory>

#include "autograd/graph/subprogram.hpp"
#include "autograd/plan/options.hpp"
#include "autograd/plan/run/executable.hpp"
#include "autograd/plan/steps/draft.hpp"

/// \file
/// Plans of sub-programs.

namespace xgrad::plan {

/// The plan of \p program; made once for each program and each other of the same structure, as far as they are known.
std::shared_ptr<const Executable> plan_of(const SubProgram& program);

/// Plans the sub-programs that steps of \p draft run, and gives the steps memory for it.
void plan_programs(Draft& draft, const PlanOptions& options);

}  // namespace xgrad::plan
