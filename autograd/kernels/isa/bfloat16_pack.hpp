#pragma once

#include "autograd/kernels/isa/product_pack.hpp"

/// \file
/// Factors of a product, rounded to bfloat16 and packed into tiles.
///
/// A tile is 16 rows of 16 pairs of bfloat16 numbers, whose k follow each other, or differ by two: as the instructions take
/// them. In tiles of a first factor, rows go along m and pairs along k; in those of a second one, rows go along k and pairs
/// along n.

namespace xgrad::kernels::XGRAD_ISA {

using Pair = std::uint32_t;

inline constexpr std::int64_t tile_side = 16;
inline constexpr std::int64_t tile_k = 2 * tile_side;
inline constexpr std::int64_t tile_pairs = tile_side * tile_side;

/// The bits of floats in memory.
typedef std::uint32_t FloatBits __attribute__((may_alias));

/// The nearest bfloat16 number, the even one of two, in the upper half. NaN stay NaN.
inline std::uint32_t rounded_bits(std::uint32_t bits) {
  constexpr std::uint32_t upper = 0xffff0000;
  const std::uint32_t nearest = bits + 0x7fff + (bits >> 16 & 1);
  const std::uint32_t quiet = bits | 0x00400000;
  return ((bits & 0x7fffffff) > 0x7f800000 ? quiet : nearest) & upper;
}

inline float from_bits(std::uint32_t bits) { return __builtin_bit_cast(float, bits); }

/// What rounding \p x to \p high has left, rounded: 0 where that is not finite.
inline std::uint32_t rest_bits(std::uint32_t x, std::uint32_t high) {
  const std::uint32_t rest = rounded_bits(__builtin_bit_cast(std::uint32_t, from_bits(x) - from_bits(high)));
  return (high & 0x7f800000) == 0x7f800000 ? 0 : rest;
}

/// Two parts of a factor: x = high + low, up to 16 bits. The second one where it is asked for.
struct PairTile {
  Pair* high;
  Pair* low;
};

/// A factor as it lies in memory: element (i, p), p along k, at data[i * stride + p], or at data[p * stride + i].
struct FactorView {
  const float* data;
  std::int64_t stride;
  bool along_k;
};

/// Pairs of k and k + 1, the first one in the lower half.
class NeighbourPairs {
 public:
  /// A whole tile, whose rows go along k if those of the factor do, and otherwise along its other axis.
  template <int parts>
  static void pack(const FactorView& from, PairTile to) {
    for (std::int64_t row = 0; row < tile_side; ++row) {
      const PairTile at{to.high + row * tile_side, parts == 2 ? to.low + row * tile_side : nullptr};
      if (from.along_k) {
        pack_neighbours<parts>(from.data + row * from.stride, at);
      } else {
        pack_two_rows<parts>(from.data + 2 * row * from.stride, from.data + (2 * row + 1) * from.stride, at);
      }
    }
  }

 private:
  // Pairs whose halves are neighbours in memory.
  template <int parts>
  static void pack_neighbours(const float* from, PairTile to) {
    const auto* x = reinterpret_cast<const FloatBits*>(from);
    for (std::int64_t i = 0; i < tile_side; ++i) {
      const std::uint32_t even = rounded_bits(x[2 * i]);
      const std::uint32_t odd = rounded_bits(x[2 * i + 1]);
      to.high[i] = even >> 16 | odd;
      if constexpr (parts == 2) {
        to.low[i] = rest_bits(x[2 * i], even) >> 16 | rest_bits(x[2 * i + 1], odd);
      }
    }
  }

  // Pairs whose halves are in two rows.
  template <int parts>
  static void pack_two_rows(const float* evens, const float* odds, PairTile to) {
    const auto* x = reinterpret_cast<const FloatBits*>(evens);
    const auto* y = reinterpret_cast<const FloatBits*>(odds);
    for (std::int64_t i = 0; i < tile_side; ++i) {
      const std::uint32_t even = rounded_bits(x[i]);
      const std::uint32_t odd = rounded_bits(y[i]);
      to.high[i] = even >> 16 | odd;
      if constexpr (parts == 2) {
        to.low[i] = rest_bits(x[i], even) >> 16 | rest_bits(y[i], odd);
      }
    }
  }
};

inline void transpose_pairs(const Pair* from, Pair* to) {
  const auto* source = reinterpret_cast<const float*>(from);  // moved, as they are
  auto* target = reinterpret_cast<float*>(to);
  for (std::int64_t i = 0; i < tile_side; i += 8) {
    for (std::int64_t j = 0; j < tile_side; j += 8) {
      transpose_square(source + i * tile_side + j, tile_side, target + j * tile_side + i, tile_side);
    }
  }
}

/// The tile of which all 16 indices and 32 k are there. \param pairs_along_k whether its pairs are to go along k.
template <class Pairs, int parts>
void pack_whole_tile(const FactorView& from, bool pairs_along_k, PairTile to) {
  alignas(64) Pair apart[parts][tile_pairs];
  const bool transposes = from.along_k != pairs_along_k;
  Pair* high = transposes ? apart[0] : to.high;
  Pair* low = transposes ? apart[parts - 1] : to.low;
  Pairs::template pack<parts>(from, {high, low});
  if (transposes) {
    transpose_pairs(high, to.high);
    if constexpr (parts == 2) {
      transpose_pairs(low, to.low);
    }
  }
}

/// The same where \p indices and \p k may be fewer: zeros stand for what is not there.
template <class Pairs, int parts>
void pack_tile(const FactorView& from, std::int64_t indices, std::int64_t k, bool pairs_along_k, PairTile to) {
  if (indices >= tile_side && k >= tile_k) {
    return pack_whole_tile<Pairs, parts>(from, pairs_along_k, to);
  }
  alignas(64) float there[tile_side * tile_k] = {};
  const std::int64_t stride = from.along_k ? tile_k : tile_side;
  const std::int64_t rows = smaller(from.along_k ? indices : k, from.along_k ? tile_side : tile_k);
  const std::int64_t columns = smaller(from.along_k ? k : indices, stride);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      there[row * stride + column] = from.data[row * from.stride + column];
    }
  }
  pack_whole_tile<Pairs, parts>({there, stride, from.along_k}, pairs_along_k, to);
}

}  // namespace xgrad::kernels::XGRAD_ISA
