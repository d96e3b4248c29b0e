#pragma once

#include <cstdint>
#include <string_view>

/// \file
/// With how many bits products multiply.

namespace xgrad {

/// How exactly products of float32 matrices take their factors. Sums are float32 in any case, and so are the factors in
/// memory and the results. Products of float64 are not concerned.
enum class ProductPrecision : std::uint8_t {
  float32,      ///< as they are: 24 bits
  bfloat16_3x,  ///< each as the sum of two bfloat16 numbers, about 16 bits, in three products
  bfloat16,     ///< rounded to the nearest bfloat16 number, 8 bits; halfway cases to the even one
};

/// `float32`, `bfloat16_3x` or `bfloat16`.
constexpr std::string_view to_string(ProductPrecision precision) {
  switch (precision) {
    case ProductPrecision::float32: return "float32";
    case ProductPrecision::bfloat16_3x: return "bfloat16_3x";
    case ProductPrecision::bfloat16: break;
  }
  return "bfloat16";
}

/// The one with this name.
/// \throws ValueError for another name.
ProductPrecision product_precision(std::string_view name);

/// What operations show of it: nothing where it is as usual.
constexpr std::string_view attribute_value(ProductPrecision precision) {
  return precision == ProductPrecision::float32 ? std::string_view() : to_string(precision);
}

}  // namespace xgrad
