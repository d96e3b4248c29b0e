#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "autograd/array/dtype.hpp"

/// \file
/// The one order in which what ranks give is added. Not installed.

namespace xgrad::distributed::detail {

/// \p sum[i] = the sum of \p terms[r][i] over all ranks r: neighbours first, then pairs of neighbours, and so on; the last one
/// of an odd number waits for the next round. So (x0 + x1) + (x2 + x3), and ((x0 + x1) + (x2 + x3)) + x4. Integers wrap.
/// \p sum may be one of the terms.
/// \param dtype float32, float64, int32 or int64.
void sum_of_ranks(DType dtype, std::span<const std::byte* const> terms, std::byte* sum, std::int64_t count);

}  // namespace xgrad::distributed::detail
