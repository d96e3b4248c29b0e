#pragma once

#include "autograd/kernels/isa/bfloat16_tiles.hpp"

/// \file
/// Products of packed tiles by instructions that add two products at a time, with the bits of the others.

#if defined(__AVX512F__)

namespace xgrad::kernels::XGRAD_ISA {

/// Which of 32 numbers is put where.
struct PairOrder {
  alignas(64) std::int16_t from[tile_k];

  constexpr explicit PairOrder(int (*source)(int to)) : from() {
    for (int to = 0; to < tile_k; ++to) {
      from[to] = static_cast<std::int16_t>(source(to));
    }
  }
};

/// For every four k a pair of k and k + 2, and one of k + 1 and k + 3, the later one in the lower half. Subnormal numbers
/// become 0, here and in products.
class ParityPairs {
 public:
  /// As that of NeighbourPairs.
  template <int parts>
  [[gnu::target("avx512bf16"), gnu::noinline]] static void pack(const FactorView& from, PairTile to) {
    if (from.along_k) {
      for (std::int64_t row = 0; row < tile_side; ++row) {
        const float* x = from.data + row * from.stride;
        const std::int64_t at = row * tile_side;
        pack_numbers<parts>(_mm512_loadu_ps(x), _mm512_loadu_ps(x + tile_side), by_parity, to, at);
      }
    } else {
      for (std::int64_t row = 0; row < tile_side; ++row) {
        const float* x = from.data + (2 * row - row % 2) * from.stride;  // of k, which is even, or k + 1
        const __m512 earlier = _mm512_loadu_ps(x);
        const __m512 later = _mm512_loadu_ps(x + 2 * from.stride);
        pack_numbers<parts>(later, earlier, in_turns, to, row * tile_side);
      }
    }
  }

 private:
  // Of 32 neighbours along k: 2, 0, 3, 1, and so on.
  static constexpr PairOrder by_parity{[](int to) { return to / 4 * 4 + (to % 2 == 0 ? 2 : 0) + to % 4 / 2; }};
  // Of twice 16 numbers: the first one of each, the second one of each, and so on.
  static constexpr PairOrder in_turns{[](int to) { return to / 2 + to % 2 * 16; }};

  template <int parts>
  [[gnu::target("avx512bf16"), gnu::always_inline]] static void pack_numbers(__m512 first, __m512 second,
                                                                             const PairOrder& pairs, PairTile to,
                                                                             std::int64_t at) {
    const __m512i order = _mm512_load_si512(pairs.from);
    const __m512i high = rounded(first, second);
    _mm512_storeu_si512(to.high + at, _mm512_permutexvar_epi16(order, high));
    if constexpr (parts == 2) {
      const __m512i low =
          rounded(rest(first, _mm512_castsi512_si256(high)), rest(second, _mm512_extracti64x4_epi64(high, 1)));
      _mm512_storeu_si512(to.low + at, _mm512_permutexvar_epi16(order, low));
    }
  }

  [[gnu::target("avx512bf16"), gnu::always_inline]] static __m512i rounded(__m512 first, __m512 second) {
    return __builtin_bit_cast(__m512i, _mm512_cvtne2ps_pbh(second, first));
  }

  // What rounding x to high has left: 0 where that is not finite.
  [[gnu::target("avx512bf16"), gnu::always_inline]] static __m512 rest(__m512 x, __m256i high) {
    const __m512i bits = _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16);
    const __m512i exponent = _mm512_set1_epi32(0x7f800000);
    const __mmask16 finite = _mm512_cmpneq_epi32_mask(_mm512_and_si512(bits, exponent), exponent);
    return _mm512_maskz_sub_ps(finite, x, _mm512_castsi512_ps(bits));
  }
};

/// With AVX-512 BF16 (VDPBF16PS), which adds the product of the upper half of a pair to a sum, and then that of the lower
/// one, each by a fused multiply-add. So where a pair is of neighbours among even k, or among odd ones, the later one in the
/// lower half, the instruction is two links of one of the two chains.
class DotTiles {
 public:
  using Pairs = ParityPairs;

  void multiply(const TileProduct& product, int row_tiles, int column_tiles) const {
    for (int i = 0; i < row_tiles; ++i) {
      column_tiles == 2 ? multiply_rows<2>(product, i) : multiply_rows<1>(product, i);
    }
  }

 private:
  // 16 rows; as many at a time as registers have room for the sums of c and both chains.
  template <int column_tiles>
  [[gnu::target("avx512bf16"), gnu::noinline]] static void multiply_rows(const TileProduct& product, int tile) {
    constexpr int rows = 8 / column_tiles;
    for (int first = 0; first < tile_side; first += rows) {
      const Pair* a = product.a[tile] + first * tile_side;
      float* c = product.c + (tile * tile_side + first) * product.c_row;
      __m512 sums[rows][column_tiles];
#pragma GCC unroll 8
      for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
        for (int j = 0; j < column_tiles; ++j) {
          sums[i][j] =
              product.accumulate ? _mm512_loadu_ps(c + i * product.c_row + j * tile_side) : _mm512_setzero_ps();
        }
      }
      for (std::int64_t at = 0; at < product.steps * tile_pairs; at += tile_pairs) {
        add_step<rows, column_tiles>(a + at, {product.b[0] + at, product.b[1] + at}, sums);
      }
#pragma GCC unroll 8
      for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
        for (int j = 0; j < column_tiles; ++j) {
          _mm512_storeu_ps(c + i * product.c_row + j * tile_side, sums[i][j]);
        }
      }
    }
  }

  struct Columns {
    const Pair* tile[2];
  };

  // Clang 16 crashes where it sees that a vector of bfloat16 numbers repeats a pair: it does not see that behind the asm.
  [[gnu::target("avx512bf16"), gnu::always_inline]] static __m512i repeated(Pair pair) {
    __m512i all = _mm512_set1_epi32(static_cast<int>(pair));
    asm("" : "+v"(all));
    return all;
  }

  // Pairs of even k and pairs of odd k take turns.
  template <int rows, int column_tiles>
  [[gnu::target("avx512bf16"), gnu::always_inline]] static void add_step(const Pair* a, Columns b,
                                                                         __m512 (&sums)[rows][column_tiles]) {
    __m512 chains[2][rows][column_tiles] = {};
#pragma GCC unroll 16
    for (int p = 0; p < tile_side; ++p) {
      __m512i of_b[column_tiles];
#pragma GCC unroll 2
      for (int j = 0; j < column_tiles; ++j) {
        of_b[j] = _mm512_loadu_si512(b.tile[j] + p * tile_side);
      }
#pragma GCC unroll 8
      for (int i = 0; i < rows; ++i) {
        const __m512i of_a = repeated(a[i * tile_side + p]);
#pragma GCC unroll 2
        for (int j = 0; j < column_tiles; ++j) {
          __m512& chain = chains[p % 2][i][j];
          chain = _mm512_dpbf16_ps(chain, __builtin_bit_cast(__m512bh, of_a), __builtin_bit_cast(__m512bh, of_b[j]));
        }
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < column_tiles; ++j) {
        sums[i][j] = _mm512_add_ps(sums[i][j], _mm512_add_ps(chains[0][i][j], chains[1][i][j]));
      }
    }
  }
};

}  // namespace xgrad::kernels::XGRAD_ISA

#endif
