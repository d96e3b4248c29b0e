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

/// f of every lane.
template <class T, T (*f)(T)>
Batch<T> lane_by_lane(const Batch<T>& x) {
  alignas(64) T a[lanes<T>];
  x.store_aligned(a);
  for (std::int64_t i = 0; i < lanes<T>; ++i) {
    a[i] = f(a[i]);
  }
  return Batch<T>::load_aligned(a);
}

/// f of the lanes of x where \p which holds, the other lanes of \p usual.
template <class T, T (*f)(T)>
[[gnu::noinline]] Batch<T> replaced(const Batch<T>& x, const Batch<T>& which, const Batch<T>& usual) {
  alignas(64) T from[lanes<T>];
  alignas(64) T condition[lanes<T>];
  alignas(64) T to[lanes<T>];
  x.store_aligned(from);
  which.store_aligned(condition);
  usual.store_aligned(to);
  for (std::int64_t i = 0; i < lanes<T>; ++i) {
    to[i] = condition[i] != 0 ? f(from[i]) : to[i];
  }
  return Batch<T>::load_aligned(to);
}

}  // namespace xgrad::kernels::XGRAD_ISA
