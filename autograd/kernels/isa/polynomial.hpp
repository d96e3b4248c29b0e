#pragma once

#include <cstdint>
#include <type_traits>

#include "autograd/kernels/isa/simd.hpp"

/// \file
/// What the elementary functions of this folder are made of.

namespace xgrad::kernels::XGRAD_ISA {

/// x y + z, rounded once.
template <class T>
Batch<T> multiply_add(const Batch<T>& x, const Batch<T>& y, const Batch<T>& z) {
  return xsimd::fma(x, y, z);
}

/// c0 + c1 x + c2 x² + ...
template <class T>
Batch<T> polynomial(const Batch<T>&, T last) {
  return Batch<T>(last);
}
template <class T, class... Rest>
Batch<T> polynomial(const Batch<T>& x, T first, Rest... rest) {
  return multiply_add(polynomial(x, rest...), x, Batch<T>(first));
}

/// Limits x, and leaves NaN as it is.
template <class T>
Batch<T> limited(const Batch<T>& x, T low, T high) {
  const Batch<T> above = xsimd::select(x < Batch<T>(low), Batch<T>(low), x);
  return xsimd::select(above > Batch<T>(high), Batch<T>(high), above);
}

/// The bits of x, taken for numbers of another type. (Later versions of xsimd want that type, earlier ones that of the
/// batch.)
template <class To, class From>
Batch<To> reinterpreted(const Batch<From>& x) {
  if constexpr (requires { requires std::is_same_v<decltype(xsimd::bitwise_cast<To>(x)), Batch<To>>; }) {
    return xsimd::bitwise_cast<To>(x);
  } else {
    return xsimd::bitwise_cast<Batch<To>>(x);
  }
}

/// 2ⁿ for a whole number n for which it is a normal number. n + 127 comes to stand in the last bits of a float that is
/// large enough to have no bits behind the point, from where it is moved to the exponent.
template <class T>
Batch<T> power_of_two(const Batch<T>& n) {
  if constexpr (std::is_same_v<T, float>) {
    const Batch<T> shifted = n + Batch<T>(12582912.0F + 127.0F);
    return reinterpreted<T>(Batch<std::int32_t>(reinterpreted<std::int32_t>(shifted) << 23));
  } else {
    const Batch<T> shifted = n + Batch<T>(6755399441055744.0 + 1023.0);
    return reinterpreted<T>(Batch<std::int64_t>(reinterpreted<std::int64_t>(shifted) << 52));
  }
}

}  // namespace xgrad::kernels::XGRAD_ISA
