#pragma once

#include <limits>
#include <type_traits>

#include "autograd/kernels/isa/exponentials.hpp"
#include "autograd/kernels/isa/extended.hpp"
#include "autograd/kernels/isa/polynomial.hpp"

/// \file
/// xʸ = exp(y log x). The exponent may have ten bits in front of the point, so the logarithm has twice the digits of a
/// double; for floats, those of a double suffice. Special values are C's (ISO C, annex F.10.4.4).

namespace xgrad::kernels::XGRAD_ISA {

struct Powers {
  using V = Batch<double>;

  static V of_doubles(const V& x, const V& y) { return with_special_values(x, y, magnitude(xsimd::abs(x), y)); }

  static V of_floats(const V& x, const V& y) {
    const V size = xsimd::abs(x);
    return with_special_values(x, y, exp_for_float(y * logarithm_of_any(size, logarithm_of_float(size))));
  }

 private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();

  /// That of 0 is -∞; ∞ and NaN stay.
  static V logarithm_of_any(const V& size, const V& usual) {
    return xsimd::select(size == V(0.0), V(-infinity), xsimd::select(size < V(infinity), usual, size));
  }

  /// x = 2ᵏ m, √½ ≤ m < √2.
  struct Split {
    V m;
    V k;
  };

  static Split split(const V& x) {
    using Bits = Batch<std::uint64_t>;
    const Bits bits = reinterpreted<std::uint64_t>(x);
    const Bits from_root = bits - Bits(std::uint64_t{0x3fe6a09e667f3bcd});
    const Bits exponent = from_root & Bits(std::uint64_t{0xfff0000000000000});
    const V m = reinterpreted<double>(Bits(bits - exponent));
    // 2⁵² + n is a number whose last bits are n
    const Bits positive = Bits(exponent + Bits(std::uint64_t{1} << 62)) >> 52;
    const V above = reinterpreted<double>(Bits(positive | reinterpreted<std::uint64_t>(V(0x1p52))));
    return {m, above - V(0x1p52 + 1024)};
  }

  /// The logarithm of a float, to 44 bits.
  static V logarithm_of_float(const V& x) {
    const auto [m, k] = split(x);
    const V s = (m - V(1.0)) / (m + V(1.0));
    const V t = s * s;
    return k * V(0.69314718055994530942) +
           s * polynomial(t, 2.0, 2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17);
  }

  /// eˣ to 36 bits, from subnormal floats on, and beyond the largest one.
  static V exp_for_float(const V& x) {
    const V inside = limited<double>(x, -110, 95);
    const V k = xsimd::nearbyint(inside * V(1.4426950408889634));
    const V r = inside - k * V(0.69314718055994530942);
    return power_of_two(k) * polynomial(r, 1.0, 1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040,
                                        1.0 / 40320, 1.0 / 362880, 1.0 / 3628800);
  }

  /// log x = k log 2 + log m, and log m = 2 artanh(s) = 2 s + 2/3 s³ + ... with s = (m - 1) / (m + 1). Off by
  /// 2⁻⁶⁶ of it.
  static Extended logarithm(const V& x) {
    const auto tiny = x < V(std::numeric_limits<double>::min());
    const auto [m, exponent] = split(xsimd::select(tiny, x * V(0x1p54), x));
    const V k = exponent - xsimd::select(tiny, V(54.0), V(0.0));
    const V one(1.0);
    const V above = m - one;
    const Extended below = ordered_sum_of(xsimd::select(m > one, m, one), xsimd::select(m > one, one, m));
    const V quotient = above / below.high;
    const V rest = (xsimd::fnma(quotient, below.high, above) - quotient * below.low) / below.high;
    const Extended s{quotient, rest};
    const Extended square = product_of(s, s);
    const V t = square.high;
    const V behind = t * polynomial(t, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19,
                                    2.0 / 21, 2.0 / 23, 2.0 / 25, 2.0 / 27);
    Extended series = ordered_sum_of(V(0x1.5555555555555p-1), behind);
    series.low = series.low + V(0x1.5555555555555p-55);
    const Extended cube = product_of(product_of(s, square), series);

    const V whole = k * V(0x1.62e42fefa3800p-1);  // exact: 11 bits by 42
    const Extended first = ordered_sum_of(whole, quotient + quotient);
    const Extended second = ordered_sum_of(first.high, cube.high);
    const V low = (first.low + second.low) + (cube.low + (rest + rest)) + k * V(0x1.ef35793c76730p-45);
    return ordered_sum_of(second.high, low);
  }

  static V magnitude(const V& size, const V& y) {
    const Extended log = logarithm(size);
    const V exponent = y * logarithm_of_any(size, log.high);
    const auto moderate = xsimd::abs(exponent) < V(1000.0);
    const V rest = xsimd::select(moderate, xsimd::fms(y, log.high, exponent) + y * log.low, V(0.0));
    return Exponentials<double>::exp_of_sum(exponent, rest);
  }

  static V with_special_values(const V& x, const V& y, const V& size) {
    const V half = y * V(0.5);
    const auto whole = xsimd::floor(y) == y;
    const auto odd = whole & (xsimd::floor(half) < half);
    const V zero(0.0);
    const V one(1.0);
    V result = xsimd::select(odd, size | xsimd::bitofsign(x), size);
    const auto no_power = (x < zero) & (x > V(-infinity)) & (xsimd::floor(y) < y);
    result = xsimd::select(no_power, V(std::numeric_limits<double>::quiet_NaN()), result);
    const auto of_one = (x == one) | ((x == V(-1.0)) & (xsimd::abs(y) == V(infinity)));
    return xsimd::select((y == zero) | of_one, one, result);
  }
};

}  // namespace xgrad::kernels::XGRAD_ISA
