#include "autograd/kernels/byte_rows.hpp"

#include <algorithm>

#include "autograd/kernels/choose.hpp"
#include "autograd/kernels/pieces.hpp"

namespace xgrad::kernels {

void gather_rows(const std::uint8_t* rows, std::int64_t row_size, const std::int64_t* indices, std::int64_t count,
                 float scale, float* out) {
  const auto kernel = chosen_kernels().gather_rows;
  const std::int64_t grain = divide_up(piece_bytes, std::max<std::int64_t>(1, row_size * 4));
  for_each_piece(count, grain, [&](std::int64_t first, std::int64_t last) {
    kernel(rows, row_size, indices + first, last - first, scale, out + first * row_size);
  });
}

}  // namespace xgrad::kernels
