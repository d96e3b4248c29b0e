#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "autograd/plan/schedule/schedule.hpp"

/// \file
/// Where the values of a plan are.

namespace xgrad::plan {

/// The memory of a value that is no alias.
struct Place {
  enum class Room : std::uint8_t {
    none,      ///< never computed: its operation skips it
    argument,  ///< what the caller gives
    constant,  ///< part of the plan
    arena,     ///< at an offset that it shares with values of other phases
    scratch,   ///< a block of rows at a time, in each thread's own scratch memory
    output,    ///< a buffer of its own, given to the caller
  };
  Room room = Room::none;
  std::uint32_t number = 0;    ///< of the argument, constant or output buffer
  std::int64_t offset = 0;     ///< bytes from the start of arena or scratch
  std::int64_t row_bytes = 0;  ///< in scratch: of one row
};

/// A buffer that a run allocates, or the old content of a variable that it overwrites.
struct OutputBuffer {
  ValueId value;
  std::uint32_t number;    ///< which output of the plan it is (the first, when it is several)
  std::uint32_t replaces;  ///< the argument, or Draft::none
};

struct MemoryPlan {
  std::vector<Place> places;  ///< per value
  std::vector<OutputBuffer> outputs;
  std::size_t arena_bytes = 0;
  std::size_t scratch_bytes = 0;   ///< per thread
  std::size_t unshared_bytes = 0;  ///< what arena and scratch would take if every value had memory of its own
  /// When each value of the arena is in use: from its first to its last phase.
  struct Lifetime {
    ValueId value;
    std::uint32_t first;
    std::uint32_t last;
  };
  std::vector<Lifetime> lifetimes;
};

/// \param reuse whether values may have the memory of others that are no longer needed.
MemoryPlan plan_memory(const Draft& draft, const Schedule& schedule, bool reuse);

}  // namespace xgrad::plan
