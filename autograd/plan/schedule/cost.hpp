#pragma once

#include "autograd/plan/schedule/schedule.hpp"

/// \file
/// The pieces that work is cut into, which follow from rough costs.

namespace xgrad::plan {

/// Nanoseconds on one thread that are worth a piece of their own: handing one over takes a quarter of a microsecond.
inline constexpr double piece_cost = 3000;

/// How a group's rows are cut.
struct Cut {
  std::int64_t block;  ///< rows per piece
  std::int64_t span;   ///< how many pieces one call had better compute, where one thread has them
};

/// Pieces have a fair share of work each, and blocks stay in the cache; products are cut such that sixteen threads have work, if
/// there is enough. The two halves of the rows are cut alike, so that two threads own the same rows in every group.
Cut cut_of(const Draft& draft, const Group& group);

}  // namespace xgrad::plan
