#pragma once

#include <limits>

#include "autograd/kernels/isa/simd.hpp"

/// \file
/// What floating reductions are made of: how two numbers become one, and lanes that are as many for every instruction set.

namespace xgrad::kernels::XGRAD_ISA {

template <class T>
struct Sum {
  static constexpr T neutral = 0;
  static T apply(T a, T b) { return a + b; }
  static Batch<T> apply(const Batch<T>& a, const Batch<T>& b) { return a + b; }
};

template <class T>
struct Product {
  static constexpr T neutral = 1;
  static T apply(T a, T b) { return a * b; }
  static Batch<T> apply(const Batch<T>& a, const Batch<T>& b) { return a * b; }
};

template <class T>
struct Maximum {
  static constexpr T neutral = -std::numeric_limits<T>::infinity();
  static T apply(T a, T b) {
    const T larger = a > b ? a : b;  // b where one of them is NaN
    return a != a ? a : larger;
  }
  static Batch<T> apply(const Batch<T>& a, const Batch<T>& b) { return xsimd::select((a > b) | xsimd::isnan(a), a, b); }
};

template <class T>
struct Minimum {
  static constexpr T neutral = std::numeric_limits<T>::infinity();
  static T apply(T a, T b) {
    const T lesser = a < b ? a : b;  // b where one of them is NaN
    return a != a ? a : lesser;
  }
  static Batch<T> apply(const Batch<T>& a, const Batch<T>& b) { return xsimd::select((a < b) | xsimd::isnan(a), a, b); }
};

/// What is done to an element before it is reduced: nothing.
template <class T>
struct Plain {
  Batch<T> operator()(const Batch<T>& x) const { return x; }
};

/// exp(x - shift).
template <class T>
struct ShiftedExp {
  Batch<T> shift;
  Batch<T> operator()(const Batch<T>& x) const { return xsimd::exp(x - shift); }
};

/// The number whose exponential the others are compared with: the maximum, or 0 where that is infinite or NaN, so that
/// log(sum(exp(x - shift))) + shift is right for them as well.
template <class T>
Batch<T> shift_of(const Batch<T>& maximum) {
  return xsimd::select(maximum - maximum == Batch<T>(T{0}), maximum, Batch<T>(T{0}));
}

/// As many lanes as the widest register has, in one or several registers: what is added to what is the same for all.
template <class T>
struct Lanes {
  static constexpr std::int64_t count = 64 / sizeof(T);
  static constexpr std::int64_t registers = count / lanes<T>;
  Batch<T> at[registers];

  explicit Lanes(T value) {
    for (Batch<T>& each : at) {
      each = Batch<T>(value);
    }
  }
};

template <class Op, class T>
Lanes<T> combine(const Lanes<T>& a, const Lanes<T>& b) {
  Lanes<T> result = a;
  for (std::int64_t k = 0; k < Lanes<T>::registers; ++k) {
    result.at[k] = Op::apply(a.at[k], b.at[k]);
  }
  return result;
}

/// The upper half of the lanes to the lower one, until one is left.
template <class Op, class T>
T fold_lanes(Lanes<T> x) {
  for (std::int64_t half = Lanes<T>::registers / 2; half > 0; half /= 2) {
    for (std::int64_t k = 0; k < half; ++k) {
      x.at[k] = Op::apply(x.at[k], x.at[k + half]);
    }
  }
  alignas(64) T a[lanes<T>];
  x.at[0].store_aligned(a);
  for (std::int64_t half = lanes<T> / 2; half > 0; half /= 2) {
    for (std::int64_t i = 0; i < half; ++i) {
      a[i] = Op::apply(a[i], a[i + half]);
    }
  }
  return a[0];
}

}  // namespace xgrad::kernels::XGRAD_ISA
