#pragma once

#include <cstdint>
#include <vector>

#include "autograd/plan/steps/draft.hpp"

/// \file
/// When and in which pieces the steps of a draft run.

namespace xgrad::plan {

/// Steps that are computed together, block by block: each block of rows goes through all of them while it is in the
/// cache. Rows are counted along axis 0 of every step's outputs.
struct Group {
  std::vector<std::uint32_t> steps;
  std::int64_t rows = 1;   ///< 1 where the steps cannot be cut
  std::int64_t slabs = 1;  ///< of a product that is cut across its rows
  std::int64_t block = 1;  ///< rows per piece
  std::int64_t span = 1;   ///< how many pieces that adjoin one call computes at most, where one thread has them
  double cost = 0;         ///< in nanoseconds on one thread, roughly
  bool alone = false;  ///< its only step is called on the calling thread: it has an effect, or uses all threads itself

  std::int64_t blocks() const { return (rows + block - 1) / block; }
  std::int64_t pieces() const { return slabs * blocks(); }
};

/// Groups that do not depend on each other: their pieces run in any order, on all threads.
struct Phase {
  std::vector<std::uint32_t> groups;
};

struct Schedule {
  std::vector<Group> groups;
  std::vector<Phase> phases;
  std::vector<std::uint32_t> group_of;  ///< per step
  std::vector<std::uint32_t> phase_of;  ///< per group
  std::vector<bool> in_place;           ///< per output: may be written where the old content is
};

/// As few phases as the dependencies allow, each step in the earliest. What depends on pieces depends on sizes alone, never
/// on the number of threads. Steps that may throw come before everything that is written in place.
Schedule make_schedule(const Draft& draft, bool write_in_place);

}  // namespace xgrad::plan
