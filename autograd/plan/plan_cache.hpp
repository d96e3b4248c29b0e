#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "autograd/graph/description.hpp"
#include "autograd/graph/structure.hpp"
#include "autograd/plan/run/executable.hpp"

/// \file
/// Plans of graphs that are built again and again, found by the graph's structure.

namespace xgrad::plan {

/// The plan that computes \p outputs, values of \p description, from all of its leaves; null where planning does not pay:
/// operations that cannot be compared, graphs whose attributes change every time. Thread-safe.
/// \param replaces as make_executable() takes it.
std::shared_ptr<const Executable> find_plan(const Description& description, std::span<const Description::Value> outputs,
                                            const std::vector<std::uint32_t>& replaces = {});

/// The plan of \p structure, from \p make() when there is none, or none that can be found again.
std::shared_ptr<const Executable> find_or_make_plan(const Structure& structure,
                                                    const std::function<std::shared_ptr<const Executable>()>& make);

}  // namespace xgrad::plan
