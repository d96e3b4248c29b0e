#pragma once

#include <memory>
#include <span>

#include "autograd/graph/description.hpp"
#include "autograd/plan/options.hpp"
#include "autograd/plan/run/executable.hpp"

/// \file
/// All passes in order.

namespace xgrad::plan {

/// What computes \p outputs, values of \p description.
/// \param argument_count the number of leaves that are given at each run, the first ones; others are constants.
/// \param replaces per output the argument, the old content of a variable, that it takes the place of, or Draft::none;
///        empty when there is none.
std::shared_ptr<const Executable> make_executable(const Description& description,
                                                  std::span<const Description::Value> outputs,
                                                  std::size_t argument_count, std::vector<std::uint32_t> replaces,
                                                  const PlanOptions& options);

}  // namespace xgrad::plan
