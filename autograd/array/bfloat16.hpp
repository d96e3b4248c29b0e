#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <iosfwd>
#include <limits>

/// \file
/// bfloat16: the upper half of a float32, as a type of C++.
///
/// All conversions work on bits. So they give the same on every CPU, whatever counts as zero there, and the loops in
/// kernels/isa have them inline: a copy that the linker could choose for another CPU must not exist.

namespace xgrad {

namespace detail {

/// The nearest one of a float; of two that are equally near the even one. What is beyond the largest becomes infinite as in
/// every rounding, and NaN stays NaN, a quiet one with its sign and the upper bits of its payload.
[[gnu::always_inline]] constexpr std::uint16_t bfloat16_bits(float x) {
  const auto bits = __builtin_bit_cast(std::uint32_t, x);
  const std::uint32_t rounded = (bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U;
  const bool is_nan = (bits & 0x7fff'ffffU) > 0x7f80'0000U;
  return static_cast<std::uint16_t>(is_nan ? (bits >> 16U) | 0x40U : rounded);
}

/// The same of a double, rounded once: by way of a float it would be rounded twice, and 1 + 2⁻⁸ + 2⁻⁴⁰ would become 1.
[[gnu::always_inline]] constexpr std::uint16_t bfloat16_bits(double x) {
  constexpr std::uint64_t infinity = 0x7ff0'0000'0000'0000U;
  constexpr std::uint64_t fraction = 0x000f'ffff'ffff'ffffU;
  constexpr std::uint64_t fewer_exponents = 1023 - 127;
  const auto bits = __builtin_bit_cast(std::uint64_t, x);
  const std::uint64_t magnitude = bits & ~(std::uint64_t{1} << 63U);
  const std::uint64_t exponent = magnitude >> 52U;
  // Normal ones lose 45 bits of their fraction. Smaller ones, exponents up to 0, are counted in units of 2⁻¹³³, the
  // smallest number there is: significand · 2^(exponent - 1075), and none of it is left from a shift of 54 on.
  const bool is_normal = exponent > fewer_exponents;
  const std::uint64_t significand =
      is_normal ? magnitude - (fewer_exponents << 52U) : (magnitude & fraction) | (fraction + 1);
  const std::uint64_t below = 1075 - 133 - exponent;
  const std::uint64_t shift = is_normal ? 45 : below > 60 ? 60 : below;
  const std::uint64_t half = std::uint64_t{1} << (shift - 1);
  const std::uint64_t rounded = (significand + (half - 1) + ((significand >> shift) & 1U)) >> shift;
  const std::uint64_t limited = rounded > 0x7f80U ? 0x7f80U : rounded;
  const std::uint64_t result = magnitude > infinity ? ((magnitude >> 45U) & 0x7fU) | 0x7fc0U : limited;
  return static_cast<std::uint16_t>(result | bits >> 63U << 15U);
}

/// The same of an integer, rounded once: of those that no double holds, bits that are far too small to be kept are joined
/// into one, which still says that there are some.
template <std::integral Integer>
[[gnu::always_inline]] constexpr std::uint16_t bfloat16_bits_of_integer(Integer x) {
  const bool is_negative = x < Integer{0};
  const auto wide = static_cast<std::uint64_t>(x);
  const std::uint64_t magnitude = is_negative ? 0 - wide : wide;
  constexpr std::uint64_t small = 0x7ffU;
  const std::uint64_t joined = (magnitude & ~small) | ((magnitude & small) != 0 ? small + 1 : 0);
  const auto exact = static_cast<double>(magnitude >> 53U != 0 ? joined : magnitude);
  return bfloat16_bits(is_negative ? -exact : exact);
}

}  // namespace detail

/// A floating-point number of two bytes: the sign, the eight bits of exponent of a float32 and the first seven of its
/// fraction. So it reaches as far as a float32, with two to three decimal digits. It is for storage, in tensors as in C++:
/// arithmetic on it is that of float, which it converts to without loss.
class BFloat16 {
 public:
  BFloat16() = default;
  /// The nearest number, halfway to the even one; too large ones become infinite, NaN stays NaN.
  [[gnu::always_inline]] explicit constexpr BFloat16(float x) : bits_(detail::bfloat16_bits(x)) {}
  /// The nearest number to a double, which is rounded once.
  [[gnu::always_inline]] explicit constexpr BFloat16(double x) : bits_(detail::bfloat16_bits(x)) {}
  /// The nearest number to an integer of up to 64 bits, which is rounded once.
  template <std::integral Integer>
    requires(sizeof(Integer) <= sizeof(std::uint64_t))
  [[gnu::always_inline]] explicit constexpr BFloat16(Integer x) : bits_(detail::bfloat16_bits_of_integer(x)) {}

  /// The number with these bits: what files hold.
  [[gnu::always_inline]] static constexpr BFloat16 from_bits(std::uint16_t bits) {
    BFloat16 result{};
    result.bits_ = bits;
    return result;
  }
  /// Sign, exponent, fraction: those of the float with the same value, without its lower half.
  [[gnu::always_inline]] constexpr std::uint16_t bits() const { return bits_; }

  /// The same number.
  [[gnu::always_inline]] constexpr operator float() const {
    return __builtin_bit_cast(float, static_cast<std::uint32_t>(bits_) << 16U);
  }

  /// By value, as floats: -0 equals 0, NaN nothing.
  [[gnu::always_inline]] friend constexpr bool operator==(BFloat16 a, BFloat16 b) {
    return static_cast<float>(a) == static_cast<float>(b);
  }
  /// By value, as floats.
  [[gnu::always_inline]] friend constexpr std::partial_ordering operator<=>(BFloat16 a, BFloat16 b) {
    return static_cast<float>(a) <=> static_cast<float>(b);
  }

 private:
  std::uint16_t bits_;
};

static_assert(sizeof(BFloat16) == 2);

/// Prints the number, as a float.
std::ostream& operator<<(std::ostream& out, BFloat16 number);

}  // namespace xgrad

/// What is to be known of bfloat16, as of C++'s own types.
template <>
class std::numeric_limits<xgrad::BFloat16> : public std::numeric_limits<float> {
 public:
  static constexpr int digits = 8;        ///< with the one that is not stored
  static constexpr int digits10 = 2;      ///< that survive
  static constexpr int max_digits10 = 4;  ///< that tell all of them apart
  /// The smallest normal number.
  static constexpr xgrad::BFloat16 min() noexcept { return xgrad::BFloat16::from_bits(0x0080); }
  /// The largest number, (2 - 2⁻⁷) · 2¹²⁷.
  static constexpr xgrad::BFloat16 max() noexcept { return xgrad::BFloat16::from_bits(0x7f7f); }
  /// The number furthest below 0.
  static constexpr xgrad::BFloat16 lowest() noexcept { return xgrad::BFloat16::from_bits(0xff7f); }
  /// From 1 to the next number: 2⁻⁷.
  static constexpr xgrad::BFloat16 epsilon() noexcept { return xgrad::BFloat16::from_bits(0x3c00); }
  /// The largest error of rounding, in units of the last digit.
  static constexpr xgrad::BFloat16 round_error() noexcept { return xgrad::BFloat16::from_bits(0x3f00); }
  static constexpr xgrad::BFloat16 infinity() noexcept { return xgrad::BFloat16::from_bits(0x7f80); }   ///< ∞
  static constexpr xgrad::BFloat16 quiet_NaN() noexcept { return xgrad::BFloat16::from_bits(0x7fc0); }  ///< NaN
  /// A NaN that no conversion gives.
  static constexpr xgrad::BFloat16 signaling_NaN() noexcept { return xgrad::BFloat16::from_bits(0x7fa0); }
  /// The smallest number above 0: 2⁻¹³³.
  static constexpr xgrad::BFloat16 denorm_min() noexcept { return xgrad::BFloat16::from_bits(0x0001); }
};
