#pragma once

#include <cmath>
#include <type_traits>

/// \file
/// The order of elements in sorting and searching.

namespace xgrad::kernels {

/// Whether a stands in front of b. NaN comes after every number, also in descending order.
template <class T>
bool precedes(T a, T b, bool descending) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) {
      return std::isnan(b) && !std::isnan(a);
    }
  }
  return descending ? b < a : a < b;
}

}  // namespace xgrad::kernels
