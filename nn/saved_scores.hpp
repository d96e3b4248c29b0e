#pragma once

#include <vector>

#include "nn/history.hpp"
#include "nn/saved.hpp"

/// \file
/// Internal: scores in checkpoints.

namespace xgrad::nn::detail {

/// Scores of several epochs: their names in order, and a row of numbers each.
Saved saved_scores(const std::vector<Scores>& all);
/// Takes them back. \throws ValueError for what saved_scores has not made.
std::vector<Scores> loaded_scores(const Saved& saved);

}  // namespace xgrad::nn::detail
