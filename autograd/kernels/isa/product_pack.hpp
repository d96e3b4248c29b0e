#pragma once

#include "autograd/kernels/isa/simd.hpp"

/// \file
/// Parts of a product's factors, copied into the order in which tiles read them.

namespace xgrad::kernels::XGRAD_ISA {

/// Square blocks that are transposed in registers: 8 by 8, or 4 by 4 of double.
template <class T>
struct Square {
  static constexpr int size = 32 / static_cast<int>(sizeof(T));
  typedef T Row __attribute__((vector_size(32), aligned(alignof(T)), may_alias));
};

inline void transpose_square(const float* from, std::int64_t from_row, float* to, std::int64_t to_row) {
  using Row = Square<float>::Row;
  Row r[8];
  for (int i = 0; i < 8; ++i) {
    r[i] = *reinterpret_cast<const Row*>(from + i * from_row);
  }
  Row pairs[8];  // in each half
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    pairs[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  Row fours[8];
  for (int i = 0; i < 8; i += 4) {
    for (int j = 0; j < 2; ++j) {
      fours[i + 2 * j] = __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      fours[i + 2 * j + 1] = __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  for (int i = 0; i < 4; ++i) {
    *reinterpret_cast<Row*>(to + i * to_row) =
        __builtin_shufflevector(fours[i], fours[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    *reinterpret_cast<Row*>(to + (i + 4) * to_row) =
        __builtin_shufflevector(fours[i], fours[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

inline void transpose_square(const double* from, std::int64_t from_row, double* to, std::int64_t to_row) {
  using Row = Square<double>::Row;
  Row r[4];
  for (int i = 0; i < 4; ++i) {
    r[i] = *reinterpret_cast<const Row*>(from + i * from_row);
  }
  for (int i = 0; i < 2; ++i) {
    const Row low =
        i == 0 ? __builtin_shufflevector(r[0], r[1], 0, 4, 2, 6) : __builtin_shufflevector(r[0], r[1], 1, 5, 3, 7);
    const Row high =
        i == 0 ? __builtin_shufflevector(r[2], r[3], 0, 4, 2, 6) : __builtin_shufflevector(r[2], r[3], 1, 5, 3, 7);
    *reinterpret_cast<Row*>(to + i * to_row) = __builtin_shufflevector(low, high, 0, 1, 4, 5);
    *reinterpret_cast<Row*>(to + (i + 2) * to_row) = __builtin_shufflevector(low, high, 2, 3, 6, 7);
  }
}

/// packed[p, j] = b[p, j] for j < columns; what is from there to \p width, a multiple of a vector, does not matter.
/// \param readable elements from b on are there.
template <class T>
void pack_rows(const T* b, std::int64_t stride, std::int64_t k, std::int64_t columns, std::int64_t width,
               std::int64_t readable, T* packed) {
  for (std::int64_t p = 0; p < k; ++p, b += stride, readable -= stride, packed += width) {
    if (width <= readable) {
      for (std::int64_t j = 0; j < width; j += lanes<T>) {
        store(packed + j, load(b + j));
      }
    } else {
      for (std::int64_t j = 0; j < width; ++j) {
        packed[j] = j < columns ? b[j] : T{0};
      }
    }
  }
}

/// packed[p, j] = b[j, p] for j < columns, 0 from there to \p width.
template <class T>
void pack_columns(const T* b, std::int64_t stride, std::int64_t k, std::int64_t columns, std::int64_t width,
                  T* packed) {
  constexpr std::int64_t size = Square<T>::size;
  const std::int64_t whole_columns = columns / size * size;
  const std::int64_t whole_k = k / size * size;
  for (std::int64_t j = 0; j < whole_columns; j += size) {
    for (std::int64_t p = 0; p < whole_k; p += size) {
      transpose_square(b + j * stride + p, stride, packed + p * width + j, width);
    }
  }
  for (std::int64_t p = 0; p < k; ++p) {
    for (std::int64_t j = p < whole_k ? whole_columns : 0; j < width; ++j) {
      packed[p * width + j] = j < columns ? b[j * stride + p] : T{0};
    }
  }
}

}  // namespace xgrad::kernels::XGRAD_ISA
