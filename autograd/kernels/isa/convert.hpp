#pragma once

#include <cstdint>

/// \file
/// Conversion of one element between dtypes.

namespace xgrad::kernels::XGRAD_ISA {

/// boolean is (x != 0), floating to integer truncates.
template <class To, class From>
To convert(From x) {
  if constexpr (__is_same(To, bool)) {
    return x != From{0};
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace xgrad::kernels::XGRAD_ISA
