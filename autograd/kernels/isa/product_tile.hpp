#pragma once

#include "autograd/kernels/isa/simd.hpp"

/// \file
/// One tile of a product, held in registers while k runs.

namespace xgrad::kernels::XGRAD_ISA {

/// As many rows of two vectors as fit into the registers beside a row of b and an element of a; with NEON, whose instructions
/// multiply by one element of a register, beside as many elements of a as compilers load ahead.
#if defined(__AVX512F__)
inline constexpr int most_tile_rows = 14;
#elif defined(__aarch64__)
inline constexpr int most_tile_rows = 10;
#else
inline constexpr int most_tile_rows = 6;
#endif

/// c = a b, or c += a b, on whole vectors. Each element sums over k in order, with fused multiply-adds.
template <class T>
struct Tile {
  std::int64_t k;
  const T* a;
  std::int64_t a_stride;  ///< from row to row; for tiles across from column to column
  const T* b;             ///< rows of whole vectors
  std::int64_t b_stride;  ///< from row to row, where b is not packed
  T* packed;              ///< where the rows of b are put one behind the other, where b is not packed
  T* c;
  std::int64_t c_row;  ///< from row to row
  bool accumulate;
};

// Loops over registers are unrolled, or they would lie in memory.
template <class T, int rows, int vectors>
struct Accumulators {
  static constexpr int lane_count = static_cast<int>(lanes<T>);
  Batch<T> at[rows][vectors];

  void clear() {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) {
        at[i][j] = Batch<T>(T{0});
      }
    }
  }
  void read(const T* c, std::int64_t stride) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) {
        at[i][j] = load(c + i * stride + j * lane_count);
      }
    }
  }
  void write(T* c, std::int64_t stride) const {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) {
        store(c + i * stride + j * lane_count, at[i][j]);
      }
    }
  }
};

/// \tparam across the rows of a lie side by side in memory, its columns apart.
/// \tparam packs b is read where it is, and packed on the way for the tiles below this one.
template <class T, int rows, int vectors, bool across, bool packs>
void multiply_tile(const Tile<T>& tile) {
  constexpr int width = vectors * static_cast<int>(lanes<T>);
  constexpr int pointers = across ? 1 : (rows + 2) / 3;  // an address reaches 0, 1 or 2 strides from one
  constexpr std::int64_t ahead = 24;                     // rows of b, from the second cache or farther
  Accumulators<T, rows, vectors> sums;
  if (tile.accumulate) {
    sums.read(tile.c, tile.c_row);
  } else {
    sums.clear();
    if (tile.k >= 128) {  // there is time until it is written
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i) {
        __builtin_prefetch(tile.c + i * tile.c_row, 1);
        __builtin_prefetch(tile.c + i * tile.c_row + width - 1, 1);
      }
    }
  }
  const T* a[pointers];
#pragma GCC unroll 16
  for (int g = 0; g < pointers; ++g) {
    a[g] = tile.a + 3 * g * tile.a_stride;
  }
  const T* b = tile.b;
  T* packed = tile.packed;
  const std::int64_t a_step = across ? tile.a_stride : 1;
  const std::int64_t b_step = packs ? tile.b_stride : width;
  for (std::int64_t p = 0; p < tile.k; ++p) {
    Batch<T> y[vectors];
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) {
      y[j] = load(b + j * lanes<T>);
      if constexpr (packs) {
        store(packed + j * lanes<T>, y[j]);
        __builtin_prefetch(b + ahead * b_step + j * lanes<T>);
      }
    }
    b += b_step;
    packed += packs ? width : 0;
    if constexpr (across) {  // the processor does not foresee where the next columns of a are
      __builtin_prefetch(a[0] + 16 * a_step);
      __builtin_prefetch(a[0] + 16 * a_step + rows - 1);
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const Batch<T> x(across ? a[0][i] : a[i / 3][i % 3 * tile.a_stride]);
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) {
        sums.at[i][j] = xsimd::fma(x, y[j], sums.at[i][j]);
      }
    }
#pragma GCC unroll 16
    for (int g = 0; g < pointers; ++g) {
      a[g] += a_step;
    }
  }
  sums.write(tile.c, tile.c_row);
}

template <class T>
using TileKernel = void (*)(const Tile<T>& tile);

/// The kernels for 1, 2, ... rows.
template <class T, int vectors, bool across, bool packs>
struct TileKernels {
  TileKernel<T> at[most_tile_rows + 1] = {};

  constexpr TileKernels() { add<1>(); }

  template <int rows>
  constexpr void add() {
    at[rows] = multiply_tile<T, rows, vectors, across, packs>;
    if constexpr (rows < most_tile_rows) {
      add<rows + 1>();
    }
  }
};

template <class T, int vectors, bool across, bool packs>
inline constexpr TileKernels<T, vectors, across, packs> tile_kernels;

}  // namespace xgrad::kernels::XGRAD_ISA
