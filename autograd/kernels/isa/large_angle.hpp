#pragma once

#include <cstdint>

/// \file
/// Large angles, modulo π/2 (M. Payne and R. Hanek, Radian reduction for trigonometric functions, 1983).

namespace xgrad::kernels::XGRAD_ISA {

/// x = n π/2 + high + low, but for multiples of 2π, with |high| ≤ π/4.
struct LargeAngle {
  double n;
  double high;
  double low;
};

/// 64 bits of 2/π behind the point, from the bit \p first on; zeros in front of it.
inline std::uint64_t bits_of_two_over_pi(std::int64_t first) {
  constexpr std::uint64_t bits[] = {0,  // in front of the point
                                    0xa2f9836e4e441529,
                                    0xfc2757d1f534ddc0,
                                    0xdb6295993c439041,
                                    0xfe5163abdebbc561,
                                    0xb7246e3a424dd2e0,
                                    0x06492eea09d1921c,
                                    0xfe1deb1cb129a73e,
                                    0xe88235f52ebb4484,
                                    0xe99c7026b45f7e41,
                                    0x3991d639835339f4,
                                    0x9c845f8bbdf9283b,
                                    0x1ff897ffde05980f,
                                    0xef2f118b5a0a6d1f,
                                    0x6d367ecf27cb09b7,
                                    0x4f463f669e5fea2d,
                                    0x7527bac7ebe5f17b,
                                    0x3d0739f78a5292ea,
                                    0x6bfb5fb11f8d5d08,
                                    0x56033046fc7b6bab,
                                    0xf0cfbc209af4361d};
  const std::int64_t at = first + 64;
  const std::int64_t word = at / 64;
  const std::int64_t offset = at % 64;
  return offset == 0 ? bits[word] : bits[word] << offset | bits[word + 1] >> (64 - offset);
}

/// \param x a finite number of at least 2¹⁰.
inline LargeAngle reduce_large_angle(double x) {
  __extension__ using Wide = unsigned __int128;
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, &x, sizeof x);
  const std::uint64_t digits = (bits & 0xfffffffffffff) | 0x10000000000000;  // x = digits · 2^exponent
  const std::int64_t exponent = static_cast<std::int64_t>(bits >> 52 & 0x7ff) - 1075;
  // Bits of 2/π that are worth 4 or more, times x, count whole turns; 192 of those behind them are enough.
  const std::int64_t first = exponent - 2;
  Wide product = Wide{bits_of_two_over_pi(first + 128)} * digits;
  const auto last = static_cast<std::uint64_t>(product);
  product = Wide{bits_of_two_over_pi(first + 64)} * digits + static_cast<std::uint64_t>(product >> 64);
  const auto middle = static_cast<std::uint64_t>(product);
  const std::uint64_t top = bits_of_two_over_pi(first) * digits + static_cast<std::uint64_t>(product >> 64);
  // two bits in front of the point, the others behind it
  std::uint64_t n = top >> 62;
  Wide fraction = Wide{top << 2 | middle >> 62} << 64 | (middle << 2 | last >> 62);
  const bool more_than_half = top << 2 >> 63 != 0;
  if (more_than_half) {
    fraction = -fraction;
    ++n;
  }
  // as two numbers of 53 bits
  int zeros = 0;
  for (; fraction != 0 && fraction >> 127 == 0; fraction <<= 1) {
    ++zeros;
  }
  const double unit = __builtin_ldexp(1, -zeros);
  const double a = static_cast<double>(static_cast<std::uint64_t>(fraction >> 75)) * 0x1p-53 * unit;
  const double b = static_cast<double>(static_cast<std::uint64_t>(fraction >> 22) & 0x1fffffffffffff) * 0x1p-106 * unit;
  constexpr double half_pi = 0x1.921fb54442d18p+0;
  constexpr double half_pi_rest = 0x1.1a62633145c07p-54;
  const double product_high = a * half_pi;
  const double product_low = __builtin_fma(a, half_pi, -product_high) + (a * half_pi_rest + b * half_pi);
  const double high = product_high + product_low;
  const double low = product_low - (high - product_high);
  return {static_cast<double>(n), more_than_half ? -high : high, more_than_half ? -low : low};
}

}  // namespace xgrad::kernels::XGRAD_ISA
