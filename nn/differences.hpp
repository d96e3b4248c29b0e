#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nn/saved.hpp"

/// \file
/// Internal: what differs between a run and a checkpoint, item by item.

namespace xgrad::nn::detail {

/// Lines, each of which says one thing that differs.
using Differences = std::vector<std::string>;

/// Adds where \p saved does not have just \p variables, called \p what.
void add_differences(std::string_view what, const std::vector<NamedVariable>& variables, const State& saved,
                     Differences& found);

/// Adds where numbers and texts are not alike, called by their names behind \p what.
void add_differences(std::string_view what, const Saved& here, const Saved& saved, Differences& found);

/// \throws ValueError as from \p op when there are any, with all of them.
void require_none(std::string_view op, const Differences& found);

}  // namespace xgrad::nn::detail
