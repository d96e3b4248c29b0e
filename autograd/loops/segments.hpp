#pragma once

#include <cstdint>
#include <source_location>
#include <vector>

#include "autograd/loops/loop.hpp"

/// \file
/// Loops that keep little for their derivatives. Not installed.

namespace xgrad::detail {

/// How the steps of a loop are cut: into so many segments, each of these into so many, down to single steps.
/// The backward pass keeps the carries at the beginning of each segment of a level, and of one segment of the lowest level what
/// derivatives read. Each level runs the loop once more, but for the last segment of each segment above: what comes behind it is
/// known.
struct Segments {
  std::vector<std::int64_t> counts;  ///< per level, the product is at least the number of steps
  std::int64_t bytes = 0;            ///< that are kept
};

/// As few levels as possible, for \p steps steps with \p carry_bytes of carries and \p step_bytes of what derivatives read in a
/// step, such that at most \p bytes are kept; when that is impossible, what keeps least.
Segments choose_segments(std::int64_t steps, std::int64_t carry_bytes, std::int64_t step_bytes, std::int64_t bytes);

/// The same as make_loop, of which the backward pass keeps at most \p bytes at a time and computes the rest again.
/// \throws ValueError `[op]` when that is impossible, or a step has an effect, which would be repeated.
LoopOutputs make_loop_within(std::string_view op, const Loop& loop, const LoopInputs& inputs, std::int64_t bytes,
                             std::source_location where);

}  // namespace xgrad::detail
