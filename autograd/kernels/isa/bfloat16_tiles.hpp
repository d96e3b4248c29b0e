#pragma once

#include "autograd/kernels/isa/bfloat16_pack.hpp"
#include "autograd/kernels/isa/polynomial.hpp"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

/// \file
/// Products of packed tiles of bfloat16 pairs, with sums in float32.
///
/// Of each 32 steps of k, the products of even k are one chain of fused multiply-adds from 0, those of odd k another one;
/// then c + (even + odd). This is what the instructions of AMX do, and what those of AVX-512 BF16 can be made to do.

namespace xgrad::kernels::XGRAD_ISA {

/// c = a b or c += a b of up to 2 by 2 tiles.
struct TileProduct {
  std::int64_t steps;  ///< of k, 32 each: as many tiles follow each other in memory
  const Pair* a[2];    ///< of 16 rows of c each
  const Pair* b[2];    ///< of 16 columns
  float* c;
  std::int64_t c_row;  ///< elements from row to row
  bool accumulate;
};

/// With the vectors that there are.
class VectorTiles {
 public:
  using Pairs = NeighbourPairs;

  void multiply(const TileProduct& product, int row_tiles, int column_tiles) const {
    for (int i = 0; i < row_tiles; ++i) {
      if (!product.accumulate) {
        clear(product.c + i * tile_side * product.c_row, product.c_row, column_tiles * tile_side);
      }
      for (std::int64_t step = 0; step < product.steps; ++step) {
        const Expanded a(product.a[i] + step * tile_pairs);
        for (int j = 0; j < column_tiles; ++j) {
          add_step(a, product.b[j] + step * tile_pairs, product.c + i * tile_side * product.c_row + j * tile_side,
                   product.c_row);
        }
      }
    }
  }

 private:
  using Bits = Batch<std::uint32_t>;
#if defined(__AVX512F__) || defined(__aarch64__)
  static constexpr int rows = 8;  // that fit into the registers, with two sums each
#else
  static constexpr int rows = 4;
#endif

  // A tile of a as floats.
  struct Expanded {
    alignas(64) float even[tile_pairs];
    alignas(64) float odd[tile_pairs];

    explicit Expanded(const Pair* pairs) {
      auto* even_bits = reinterpret_cast<FloatBits*>(even);
      auto* odd_bits = reinterpret_cast<FloatBits*>(odd);
      for (std::int64_t i = 0; i < tile_pairs; ++i) {
        even_bits[i] = pairs[i] << 16;
        odd_bits[i] = pairs[i] & 0xffff0000;
      }
    }
  };

  static void clear(float* c, std::int64_t stride, std::int64_t columns) {
    for (std::int64_t i = 0; i < tile_side; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        c[i * stride + j] = 0;
      }
    }
  }

  static void add_step(const Expanded& a, const Pair* b, float* c, std::int64_t c_row) {
    for (std::int64_t i = 0; i < tile_side; i += rows) {
      for (std::int64_t j = 0; j < tile_side; j += lanes<float>) {
        add_rows(a.even + i * tile_side, a.odd + i * tile_side, b + j, c + i * c_row + j, c_row);
      }
    }
  }

  static void add_rows(const float* even_a, const float* odd_a, const Pair* b, float* c, std::int64_t c_row) {
    Batch<float> even[rows];
    Batch<float> odd[rows];
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      even[i] = odd[i] = Batch<float>(0.0F);
    }
    for (std::int64_t p = 0; p < tile_side; ++p) {
      const Bits pair = Bits::load_unaligned(b + p * tile_side);
      const auto even_b = reinterpreted<float>(pair << 16);
      const auto odd_b = reinterpreted<float>(pair & Bits(0xffff0000U));
#pragma GCC unroll 8
      for (int i = 0; i < rows; ++i) {
        even[i] = xsimd::fma(Batch<float>(even_a[i * tile_side + p]), even_b, even[i]);
        odd[i] = xsimd::fma(Batch<float>(odd_a[i * tile_side + p]), odd_b, odd[i]);
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      store(c + i * c_row, load(c + i * c_row) + (even[i] + odd[i]));
    }
  }
};

#if defined(__AVX512F__)

/// With AMX (Intel, Architecture Instruction Set Extensions: TDPBF16PS), which the system has to permit.
class MatrixTiles {
 public:
  using Pairs = NeighbourPairs;

  [[gnu::target("amx-tile,amx-bf16")]] MatrixTiles() {
    // Not on the stack: GCC 12 believes that eight bytes of it are read, and writes no others.
    static constexpr Shapes shapes;
    _tile_loadconfig(&shapes);
  }
  MatrixTiles(const MatrixTiles&) = delete;
  MatrixTiles& operator=(const MatrixTiles&) = delete;
  [[gnu::target("amx-tile,amx-bf16")]] ~MatrixTiles() { _tile_release(); }

  void multiply(const TileProduct& product, int row_tiles, int column_tiles) const {
    if (row_tiles == 2) {
      column_tiles == 2 ? multiply_tiles<2, 2>(product) : multiply_tiles<2, 1>(product);
    } else {
      column_tiles == 2 ? multiply_tiles<1, 2>(product) : multiply_tiles<1, 1>(product);
    }
  }

 private:
  // Eight tiles of 16 rows of 64 bytes.
  struct alignas(64) Shapes {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  };
  static_assert(sizeof(Shapes) == 64);

  template <int row_tiles, int column_tiles>
  [[gnu::target("amx-tile,amx-bf16"), gnu::noinline]] static void multiply_tiles(const TileProduct& product) {
    constexpr int line = 64;
    const std::int64_t c_bytes = product.c_row * 4;
    float* below = row_tiles == 2 ? product.c + tile_side * product.c_row : nullptr;
    asm volatile("" ::: "memory");  // the compiler does not know what the instructions below read
    if (product.accumulate) {
      _tile_loadd(0, product.c, c_bytes);
      if constexpr (column_tiles == 2) {
        _tile_loadd(1, product.c + tile_side, c_bytes);
      }
      if constexpr (row_tiles == 2) {
        _tile_loadd(2, below, c_bytes);
      }
      if constexpr (row_tiles == 2 && column_tiles == 2) {
        _tile_loadd(3, below + tile_side, c_bytes);
      }
    } else {
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
    }
    for (std::int64_t at = 0; at < product.steps * tile_pairs; at += tile_pairs) {
      _tile_loadd(4, product.a[0] + at, line);
      _tile_loadd(6, product.b[0] + at, line);
      _tile_dpbf16ps(0, 4, 6);
      if constexpr (column_tiles == 2) {
        _tile_loadd(7, product.b[1] + at, line);
        _tile_dpbf16ps(1, 4, 7);
      }
      if constexpr (row_tiles == 2) {
        _tile_loadd(5, product.a[1] + at, line);
        _tile_dpbf16ps(2, 5, 6);
      }
      if constexpr (row_tiles == 2 && column_tiles == 2) {
        _tile_dpbf16ps(3, 5, 7);
      }
    }
    _tile_stored(0, product.c, c_bytes);
    if constexpr (column_tiles == 2) {
      _tile_stored(1, product.c + tile_side, c_bytes);
    }
    if constexpr (row_tiles == 2) {
      _tile_stored(2, below, c_bytes);
    }
    if constexpr (row_tiles == 2 && column_tiles == 2) {
      _tile_stored(3, below + tile_side, c_bytes);
    }
    asm volatile("" ::: "memory");
  }
};

#endif

}  // namespace xgrad::kernels::XGRAD_ISA
