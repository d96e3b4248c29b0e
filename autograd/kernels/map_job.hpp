#pragma once

#include <cstdint>

#include "autograd/kernels/isa/kernel_set.hpp"
#include "autograd/kernels/kernels.hpp"

/// \file
/// How a call of map becomes a job for the loops of an instruction set.

namespace xgrad::kernels {

/// Classifies the operands of \p call; the job refers to the code and the constants of the call, and to \p sources and
/// \p targets, one per input and per output, which are filled in.
MapJob make_job(const MapCall& call, MapSource* sources, MapTarget* targets);

/// Elements per piece, whole cache lines of every element type.
std::int64_t map_grain(const MapCall& call);

/// map_grain is never less.
inline constexpr std::int64_t smallest_map_grain = 1024;

}  // namespace xgrad::kernels
