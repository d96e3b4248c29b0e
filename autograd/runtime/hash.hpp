#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

/// \file
/// Hashes that are the same in every process and on every machine: no addresses, no std::hash. The functions are fixed
/// for ever, so that what is kept under a hash is found by later versions too.

namespace xgrad::runtime {

/// A bijection of 64 bits in which every bit of \p x reaches every bit of the result: the last step of SplitMix64 (Steele,
/// Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014).
constexpr std::uint64_t mix_bits(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// The hash of a sequence that is one \p value longer than the one with the hash \p before. Order counts.
constexpr std::uint64_t combine_hashes(std::uint64_t before, std::uint64_t value) {
  return mix_bits(before * 0x9E3779B97F4A7C15U + value + 1);
}

/// FNV-1a (Fowler, Noll and Vo) over the bytes of \p text, which may be any bytes.
constexpr std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char each : text) {
    hash = (hash ^ static_cast<unsigned char>(each)) * 0x100000001B3U;
  }
  return hash;
}

/// By its bits, so that -0 and 0 differ; NaN of all kinds are one.
constexpr std::uint64_t hash_number(double number) {
  constexpr std::uint64_t nan = 0x7FF8000000000000U;
  return mix_bits(number != number ? nan : std::bit_cast<std::uint64_t>(number));
}

/// Of many bytes, as fast as memory gives them: four sequences of words side by side, each mixed by a bijection of its
/// state, then joined. On little-endian machines.
inline std::uint64_t hash_bytes(std::span<const std::byte> bytes) {
  constexpr std::size_t width = sizeof(std::uint64_t);
  std::array<std::uint64_t, 4> lanes = {1, 2, 3, 4};
  const auto word = [&](std::size_t at, std::size_t count) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, count);
    return value;
  };
  const auto take = [&](std::uint64_t& lane, std::uint64_t value) {
    lane = std::rotl((lane ^ value) * 0x9E3779B97F4A7C15U, 29);
  };
  std::size_t at = 0;
  for (; bytes.size() - at >= lanes.size() * width; at += lanes.size() * width) {
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      take(lanes[i], word(at + i * width, width));
    }
  }
  for (; at < bytes.size(); at += width) {
    take(lanes[0], word(at, bytes.size() - at < width ? bytes.size() - at : width));
  }
  std::uint64_t hash = bytes.size();
  for (const std::uint64_t lane : lanes) {
    hash = combine_hashes(hash, lane);
  }
  return hash;
}

}  // namespace xgrad::runtime
