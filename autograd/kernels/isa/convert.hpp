#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "autograd/array/bfloat16.hpp"

/// \file
/// Conversion of one element between dtypes.

namespace xgrad::kernels::XGRAD_ISA {

/// boolean is (x != 0). Floating to integer truncates, gives the nearest number there is where x is too large or too small,
/// and 0 for NaN. Integers to smaller ones keep the last bits. To bfloat16 everything is rounded once, on its bits: to the
/// same ones on every CPU.
template <class To, class From>
To convert(From x) {
  if constexpr (__is_same(To, BFloat16)) {
    return BFloat16(x);
  } else if constexpr (__is_same(From, BFloat16)) {
    return convert<To>(static_cast<float>(x));
  } else if constexpr (__is_same(To, bool)) {
    return x != From{0};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    constexpr To least = std::numeric_limits<To>::min();
    constexpr To most = std::numeric_limits<To>::max();
    constexpr From end = static_cast<From>(most / 2 + 1) * 2;  // the number behind the last one: a power of two
    const bool in_range = x > static_cast<From>(least) - 1 && x < end;
    const From inside = in_range ? x : From{0};
    const To limit = x < 0 ? least : x > 0 ? most : To{0};
    return in_range ? static_cast<To>(inside) : limit;
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace xgrad::kernels::XGRAD_ISA
