#pragma once

#include <bit>
#include <cstdint>
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

}  // namespace xgrad::runtime
