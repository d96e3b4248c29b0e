#pragma once

#include "autograd/plan/schedule/schedule.hpp"

/// \file
/// The pieces that work is cut into, which follow from rough costs.

namespace xgrad::plan {

/// Nanoseconds on one thread that are worth a piece of their own: handing one over takes a quarter of a microsecond.
inline constexpr double piece_cost = 3000;

/// Rows per piece of a group: a fair share of work for each piece, and a block that stays in the cache. The two halves of
/// the rows are cut alike, so that two threads own the same rows in every group.
std::int64_t block_of(const Draft& draft, const Group& group);

}  // namespace xgrad::plan
