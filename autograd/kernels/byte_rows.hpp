#pragma once

#include <cstdint>

/// \file
/// Rows of bytes, as data sets keep them.

namespace xgrad::kernels {

/// out[j, i] = rows[indices[j], i] * scale: gathers rows of bytes and widens them to float32 in one pass.
void gather_rows(const std::uint8_t* rows, std::int64_t row_size, const std::int64_t* indices, std::int64_t count,
                 float scale, float* out);

}  // namespace xgrad::kernels
