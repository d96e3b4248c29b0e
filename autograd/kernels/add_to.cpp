#include <cstdint>

#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/pieces.hpp"
#include "autograd/kernels/strided.hpp"
#include "autograd/kernels/wrapped.hpp"

namespace xgrad::kernels {

namespace {

template <class T>
void add_row(const T* in, std::int64_t in_step, T* out, std::int64_t out_step, std::int64_t count) {
  if (in_step == 1 && out_step == 1) {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = wrapped_sum(out[i], in[i]);
    }
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    out[i * out_step] = wrapped_sum(out[i * out_step], in[i * in_step]);
  }
}

template <class T>
void add_elements(const CopyAxes& axes, std::int64_t count, const T* in, T* out) {
  const Axis& row = axes.row();
  const Axis& column = axes.column();
  const std::int64_t rows_per_piece = divide_up(piece_bytes / static_cast<std::int64_t>(sizeof(T)), column.size);
  for_each_piece(count / column.size, rows_per_piece, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const Offsets offsets = offsets_of(axes, i / row.size);
      const std::int64_t r = i % row.size;
      add_row(in + offsets.in + r * row.in, column.in, out + offsets.out + r * row.out, column.out, column.size);
    }
  });
}

}  // namespace

void add_to(DType dtype, const Shape& shape, const void* in, const Ints& in_strides, void* out,
            const Ints& out_strides) {
  const std::int64_t count = shape.element_count();
  if (count == 0) {
    return;
  }
  const CopyAxes axes(shape, in_strides, out_strides);
  dispatch_numbers(dtype, [&](auto zero) {
    using T = decltype(zero);
    add_elements(axes, count, static_cast<const T*>(in), static_cast<T*>(out));
  });
}

}  // namespace xgrad::kernels
