#pragma once

#include <cstdint>
#include <type_traits>

/// \file
/// Sums and products of elements. Those of integers wrap around, as those of map do.

namespace xgrad::kernels {

/// a + b.
template <class T>
T wrapped_sum(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  } else {
    return a + b;
  }
}

/// a b.
template <class T>
T wrapped_product(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  } else {
    return a * b;
  }
}

}  // namespace xgrad::kernels
