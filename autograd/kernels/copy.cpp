#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/pieces.hpp"
#include "autograd/kernels/strided.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::kernels {

namespace {

template <class T>
void copy_row(const T* in, std::int64_t in_step, T* out, std::int64_t out_step, std::int64_t count) {
  if (out_step == 1 && in_step == 1) {
    std::memcpy(out, in, static_cast<std::size_t>(count) * sizeof(T));
  } else if (out_step == 1 && in_step == 0) {
    std::fill(out, out + count, *in);
  } else if (out_step == 1) {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = in[i * in_step];
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i * out_step] = in[i * in_step];
    }
  }
}

/// out[r * out_step + c] = in[r + c * in_step] for a tile, whose lines of both sides fit in L1.
template <class T>
void transpose_tile(const T* in, std::int64_t in_step, T* out, std::int64_t out_step, std::int64_t rows,
                    std::int64_t columns) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      out[r * out_step + c] = in[r + c * in_step];
    }
  }
}

using Four = std::uint32_t __attribute__((vector_size(16)));

/// 4 x 4 elements of 4 bytes in registers.
void transpose_four(const std::uint32_t* in, std::int64_t in_step, std::uint32_t* out, std::int64_t out_step) {
  Four a, b, c, d;
  std::memcpy(&a, in, sizeof(Four));
  std::memcpy(&b, in + in_step, sizeof(Four));
  std::memcpy(&c, in + 2 * in_step, sizeof(Four));
  std::memcpy(&d, in + 3 * in_step, sizeof(Four));
  const Four ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Four ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Four cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Four cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  a = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
  b = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
  c = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  d = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
  std::memcpy(out, &a, sizeof(Four));
  std::memcpy(out + out_step, &b, sizeof(Four));
  std::memcpy(out + 2 * out_step, &c, sizeof(Four));
  std::memcpy(out + 3 * out_step, &d, sizeof(Four));
}

void transpose_tile(const std::uint32_t* in, std::int64_t in_step, std::uint32_t* out, std::int64_t out_step,
                    std::int64_t rows, std::int64_t columns) {
  const std::int64_t whole_rows = rows / 4 * 4;
  const std::int64_t whole_columns = columns / 4 * 4;
  for (std::int64_t r = 0; r < whole_rows; r += 4) {
    for (std::int64_t c = 0; c < whole_columns; c += 4) {
      transpose_four(in + r + c * in_step, in_step, out + r * out_step + c, out_step);
    }
  }
  transpose_tile<std::uint32_t>(in + whole_columns * in_step, in_step, out + whole_columns, out_step, whole_rows,
                                columns - whole_columns);
  transpose_tile<std::uint32_t>(in + whole_rows, in_step, out + whole_rows * out_step, out_step, rows - whole_rows,
                                columns);
}

template <class T>
void copy_block(const T* in, const Axis& row, T* out, const Axis& column, std::int64_t rows) {
  if (row.in == 1 && column.out == 1 && column.in != 1 && column.in != 0) {
    constexpr std::int64_t tile = 32;
    for (std::int64_t c = 0; c < column.size; c += tile) {
      for (std::int64_t r = 0; r < rows; r += tile) {
        transpose_tile(in + r + c * column.in, column.in, out + r * row.out + c, row.out, std::min(tile, rows - r),
                       std::min(tile, column.size - c));
      }
    }
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    copy_row(in + r * row.in, column.in, out + r * row.out, column.out, column.size);
  }
}

template <class T>
void copy_elements(const CopyAxes& axes, std::int64_t count, const T* in, T* out) {
  const Axis& row = axes.row();
  const Axis& column = axes.column();
  constexpr std::int64_t grain = piece_bytes / static_cast<std::int64_t>(sizeof(T));
  if (row.size == count || column.size < count) {
    constexpr std::int64_t line = 64;
    const std::int64_t rows_per_piece = divide_up(divide_up(grain, column.size), line) * line;
    for_each_piece(count / column.size, rows_per_piece, [&](std::int64_t first, std::int64_t last) {
      while (first < last) {
        const std::int64_t r = first % row.size;
        const std::int64_t rows = std::min(last - first, row.size - r);
        const Offsets offsets = offsets_of(axes, first / row.size);
        copy_block(in + offsets.in + r * row.in, row, out + offsets.out + r * row.out, column, rows);
        first += rows;
      }
    });
  } else {
    for_each_piece(count, grain, [&](std::int64_t first, std::int64_t last) {
      copy_row(in + first * column.in, column.in, out + first * column.out, column.out, last - first);
    });
  }
}

constexpr bool copies_every_dtype() {
  for (int i = 0; i < dtype_count; ++i) {
    const std::size_t bytes = size_of(static_cast<DType>(i));
    if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
      return false;
    }
  }
  return true;
}
static_assert(copies_every_dtype(), "a dtype has elements of a size that copy has no case for");

}  // namespace

void copy(std::size_t element_size, const Shape& shape, const void* in, const Ints& in_strides, void* out,
          const Ints& out_strides) {
  const std::int64_t count = shape.element_count();
  if (count == 0) {
    return;
  }
  const CopyAxes axes(shape, in_strides, out_strides);
  const auto of_type = [&]<class T>(const T* from) { copy_elements(axes, count, from, static_cast<T*>(out)); };
  switch (element_size) {
    case 1: return of_type(static_cast<const std::uint8_t*>(in));
    case 2: return of_type(static_cast<const std::uint16_t*>(in));
    case 4: return of_type(static_cast<const std::uint32_t*>(in));
    case 8: return of_type(static_cast<const std::uint64_t*>(in));
    default: break;
  }
  raise<ValueError>("copy", phrase("elements of {} bytes; copy elements of 1, 2, 4 or 8", element_size));
}

}  // namespace xgrad::kernels
