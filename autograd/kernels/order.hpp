#pragma once

#include "autograd/array/dtype.hpp"

/// \file
/// The order of elements in sorting and searching.

namespace xgrad::kernels {

/// Whether a stands in front of b. NaN comes after every number, also in descending order.
template <class T>
bool precedes(T a, T b, bool descending) {
  if constexpr (is_real(dtype_of<T>())) {
    const bool a_is_nan = !(a == a);
    const bool b_is_nan = !(b == b);
    if (a_is_nan || b_is_nan) {
      return b_is_nan && !a_is_nan;
    }
  }
  return descending ? b < a : a < b;
}

}  // namespace xgrad::kernels
