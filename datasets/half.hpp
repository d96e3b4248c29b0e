#pragma once

#include <bit>
#include <cstdint>

/// \file
/// Internal: floating-point numbers of two bytes, which files have and arrays have not.

namespace xgrad::datasets {

/// IEEE 754 binary16: sign, 5 bits of exponent with bias 15, 10 bits of fraction. Every value is a float32.
inline float from_half(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16U;
  const std::uint32_t exponent = (bits >> 10U) & 0x1fU;
  const std::uint32_t fraction = bits & 0x3ffU;
  if (exponent == 0) {  // 0 and subnormals: fraction · 2⁻²⁴
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t wide_exponent = exponent == 0x1fU ? 0xffU : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (wide_exponent << 23U) | (fraction << 13U));
}

}  // namespace xgrad::datasets
