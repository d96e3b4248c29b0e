#pragma once

#include <cstddef>

namespace xgrad::kernels {

/// c[0] + c[1] x + c[2] x² + ... (W. G. Horner).
template <class T, std::size_t n>
T horner(T x, const T (&c)[n]) {
  T sum = c[n - 1];
  for (std::size_t i = n - 1; i-- > 0;) {
    sum = sum * x + c[i];
  }
  return sum;
}

}  // namespace xgrad::kernels
