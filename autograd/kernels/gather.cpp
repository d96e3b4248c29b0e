#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "autograd/kernels/choose.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/pieces.hpp"
#include "autograd/kernels/wrapped.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::kernels {

namespace {

/// \throws ValueError naming the first index outside [lowest, n) and its position.
void check_indices(const char* op, const std::int64_t* indices, std::int64_t count, std::int64_t lowest,
                   std::int64_t n) {
  const std::int64_t* bad =
      std::find_if(indices, indices + count, [=](std::int64_t index) { return index < lowest || index >= n; });
  if (bad != indices + count) {
    raise<ValueError>(op, phrase("index {} at position {} is outside [{}, {}); give indices within it", *bad,
                                 bad - indices, lowest, n));
  }
}

std::int64_t from_front(std::int64_t index, std::int64_t n) { return index < 0 ? index + n : index; }

/// A copy whose size the compiler knows, where it is one element.
template <std::size_t bytes>
void take_elements(const std::byte* in, std::int64_t n, const std::int64_t* indices, std::int64_t count,
                   std::byte* out) {
  for (std::int64_t j = 0; j < count; ++j) {
    std::memcpy(out + j * static_cast<std::int64_t>(bytes),
                in + from_front(indices[j], n) * static_cast<std::int64_t>(bytes), bytes);
  }
}

void take_rows(const std::byte* in, std::int64_t n, std::size_t row_bytes, const std::int64_t* indices,
               std::int64_t count, std::byte* out) {
  switch (row_bytes) {
    case 1: return take_elements<1>(in, n, indices, count, out);
    case 2: return take_elements<2>(in, n, indices, count, out);
    case 4: return take_elements<4>(in, n, indices, count, out);
    case 8: return take_elements<8>(in, n, indices, count, out);
    default: break;
  }
  const auto step = static_cast<std::int64_t>(row_bytes);
  // Rows lie far apart: the hardware foresees the rest of a row, but not the next one.
  constexpr std::int64_t ahead = 2;
  constexpr std::int64_t cache_line = 64;
  const std::int64_t head = std::min<std::int64_t>(step, 4096);
  for (std::int64_t j = 0; j < count; ++j) {
    if (j + ahead < count) {
      const std::byte* next = in + from_front(indices[j + ahead], n) * step;
      for (std::int64_t i = 0; i < head; i += cache_line) {
        __builtin_prefetch(next + i);
      }
    }
    std::memcpy(out + j * step, in + from_front(indices[j], n) * step, row_bytes);
  }
}

}  // namespace

void take(const char* op, std::size_t element_size, const void* in, std::int64_t outer, std::int64_t n,
          std::int64_t inner, const std::int64_t* indices, std::int64_t count, void* out) {
  check_indices(op, indices, count, -n, n);
  const std::int64_t row_bytes = inner * static_cast<std::int64_t>(element_size);
  if (outer * count * row_bytes == 0) {
    return;
  }
  // A piece is a range of (o, j) pairs.
  const std::int64_t grain = divide_up(piece_bytes, row_bytes);
  for_each_piece(outer * count, grain, [&](std::int64_t first, std::int64_t last) {
    while (first < last) {
      const std::int64_t o = first / count;
      const std::int64_t j = first % count;
      const std::int64_t here = std::min(last - first, count - j);
      take_rows(static_cast<const std::byte*>(in) + o * n * row_bytes, n, static_cast<std::size_t>(row_bytes),
                indices + j, here, static_cast<std::byte*>(out) + first * row_bytes);
      first += here;
    }
  });
}

void scatter_add(const char* op, DType dtype, const void* in, std::int64_t outer, std::int64_t n, std::int64_t inner,
                 const std::int64_t* indices, std::int64_t count, void* out) {
  check_indices(op, indices, count, -n, n);
  if (outer * count * inner == 0) {
    return;
  }
  const auto add = [&](auto zero) {
    using T = decltype(zero);
    // Pieces are strips of columns of one block, for rows may meet in the same place.
    constexpr std::int64_t least_columns = 64;
    const std::int64_t strip = std::max(least_columns, piece_bytes / count);
    const std::int64_t strips = divide_up(inner, strip);
    const std::int64_t grain = std::max<std::int64_t>(1, piece_bytes / (count * std::min(strip, inner)));
    for_each_piece(outer * strips, grain, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t each = first; each < last; ++each) {
        const std::int64_t o = each / strips;
        const std::int64_t column = each % strips * strip;
        const std::int64_t width = std::min(strip, inner - column);
        for (std::int64_t j = 0; j < count; ++j) {
          const T* from = static_cast<const T*>(in) + (o * count + j) * inner + column;
          T* to = static_cast<T*>(out) + (o * n + from_front(indices[j], n)) * inner + column;
          for (std::int64_t i = 0; i < width; ++i) {
            to[i] = wrapped_sum(to[i], from[i]);
          }
        }
      }
    });
  };
  dispatch_numbers(dtype, add, op);
}

void one_hot(const char* op, const std::int64_t* indices, std::int64_t count, std::int64_t classes, DType dtype,
             void* out) {
  check_indices(op, indices, count, 0, classes);
  fill(dtype, out, count * classes, 0);
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t j = 0; j < count; ++j) {
      static_cast<T*>(out)[j * classes + indices[j]] = static_cast<T>(1);
    }
  });
}

}  // namespace xgrad::kernels
