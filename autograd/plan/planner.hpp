#pragma once

#include <memory>
#include <span>

#include "autograd/graph/walks.hpp"
#include "autograd/plan/options.hpp"
#include "autograd/plan/run/executable.hpp"

/// \file
/// All passes in order.

namespace xgrad::plan {

/// What computes \p outputs from \p arguments.
/// \param order the nodes between them.
/// \param replaces per output the argument, the old content of a variable, that it takes the place of, or Draft::none;
///        empty when there is none.
std::shared_ptr<const Executable> make_executable(const TopologicalOrder& order, std::span<const Tensor> outputs,
                                                  std::span<const Tensor> arguments,
                                                  std::vector<std::uint32_t> replaces, const PlanOptions& options);

}  // namespace xgrad::plan
