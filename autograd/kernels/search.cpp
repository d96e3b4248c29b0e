#include <algorithm>
#include <cstdint>

#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/order.hpp"
#include "autograd/kernels/pieces.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Positions: where values belong in sorted ones, how often numbers occur, where updates go.

namespace xgrad::kernels {

namespace {

template <class T>
std::int64_t place_in(const T* sorted, std::int64_t n, T value, bool right) {
  const auto in_order = [](T a, T b) { return precedes(a, b, false); };
  return (right ? std::upper_bound(sorted, sorted + n, value, in_order)
                : std::lower_bound(sorted, sorted + n, value, in_order)) -
         sorted;
}

}  // namespace

void search_sorted(DType dtype, const void* sorted, std::int64_t n, const void* values, std::int64_t count,
                   std::int64_t values_per_row, bool right, std::int64_t* out) {
  constexpr std::int64_t grain = 1024;
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    for_each_piece(count, grain, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        out[i] = place_in(static_cast<const T*>(sorted) + i / values_per_row * n, n, static_cast<const T*>(values)[i],
                          right);
      }
    });
  });
}

void count_numbers(const char* op, const std::int64_t* numbers, std::int64_t rows, std::int64_t count,
                   std::int64_t length, std::int64_t* out) {
  std::fill_n(out, rows * length, std::int64_t{0});
  for (std::int64_t i = 0; i < rows * count; ++i) {
    const std::int64_t number = numbers[i];
    if (number < 0 || number >= length) {
      raise<ValueError>(op,
                        phrase("number {} at position {} is outside [0, {}); give a larger length", number, i, length));
    }
    ++out[i / count * length + number];
  }
}

void row_positions(const char* op, const std::int64_t* indices, std::int64_t count, const Ints& sizes,
                   const Ints& strides, std::int64_t* out) {
  const std::size_t axes = sizes.ndim();
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t position = 0;
    for (std::size_t axis = 0; axis < axes; ++axis) {
      const std::int64_t index = indices[i * static_cast<std::int64_t>(axes) + static_cast<std::int64_t>(axis)];
      const std::int64_t n = sizes[axis];
      if (index < -n || index >= n) {
        raise<ValueError>(
            op, phrase("index {} at position {} is outside [{}, {}); give indices within it", index, i, -n, n));
      }
      position += (index < 0 ? index + n : index) * strides[axis];
    }
    out[i] = position;
  }
}

void last_update(const std::int64_t* positions, std::int64_t rows, std::int64_t m, std::int64_t n, std::int64_t* out) {
  std::fill_n(out, rows * n, std::int64_t{-1});
  for (std::int64_t i = 0; i < rows * m; ++i) {
    out[i / m * n + positions[i]] = i % m;
  }
}

void scatter_extreme(DType dtype, bool largest, const void* in, const std::int64_t* positions, std::int64_t count,
                     std::int64_t inner, void* out) {
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    for (std::int64_t j = 0; j < count; ++j) {
      const T* from = static_cast<const T*>(in) + j * inner;
      T* to = static_cast<T*>(out) + positions[j] * inner;
      for (std::int64_t i = 0; i < inner; ++i) {
        // NaN is both the largest and the smallest; so is the one that is there.
        const bool wins = from[i] != from[i] || (largest ? from[i] > to[i] : from[i] < to[i]);
        to[i] = wins ? from[i] : to[i];
      }
    }
  });
}

}  // namespace xgrad::kernels
