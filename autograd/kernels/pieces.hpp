#pragma once

#include <algorithm>
#include <cstdint>

#include "autograd/runtime/workers.hpp"

/// \file
/// Cutting loops into pieces for the workers. Where to cut depends on sizes alone.

namespace xgrad::kernels {

inline std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Calls \p body(first, last) on consecutive ranges of \p grain elements that cover [0, count). Handing over a second
/// range costs a quarter of a microsecond and more, so one of less than half the size is not worth it.
template <class F>
void for_each_piece(std::int64_t count, std::int64_t grain, const F& body) {
  if (count <= grain + grain / 2) {
    if (count > 0) {
      body(std::int64_t{0}, count);
    }
    return;
  }
  runtime::parallel_for(divide_up(count, grain),
                        [&](std::int64_t piece) { body(piece * grain, std::min(count, (piece + 1) * grain)); });
}

/// Bytes that are worth a piece of their own where the work is moving memory.
inline constexpr std::int64_t piece_bytes = 64 * 1024;

}  // namespace xgrad::kernels
