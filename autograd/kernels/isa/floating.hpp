#pragma once

#include <math.h>

#include <limits>
#include <type_traits>

#include "autograd/kernels/isa/error_function.hpp"
#include "autograd/kernels/isa/exponentials.hpp"
#include "autograd/kernels/isa/extended.hpp"
#include "autograd/kernels/isa/planes.hpp"
#include "autograd/kernels/isa/powers.hpp"
#include "autograd/kernels/isa/simd.hpp"
#include "autograd/kernels/isa/trigonometry.hpp"

/// \file
/// The scalar primitives on floating vectors.
///
/// xsimd 8.1 has traps, which differ from one instruction set to the next: `x != y` is false for NaN, `-x` of 0 is +0,
/// and `^` of conditions is wrong. So conditions are made of `==`, `<`, `>`, `&` and `|` alone.
/// How exact they are is measured by tests/ops/accuracy.cpp.

namespace xgrad::kernels::XGRAD_ISA {

// C's function is exact, and called lane by lane.
inline float fmod_of(float x, float y) { return ::fmodf(x, y); }
inline double fmod_of(double x, double y) { return ::fmod(x, y); }

template <class T>
struct Floating {
  using V = Batch<T>;

  template <T (*f)(T, T)>
  static V lane_by_lane(V x, V y) {
    alignas(64) T a[lanes<T>];
    alignas(64) T b[lanes<T>];
    x.store_aligned(a);
    y.store_aligned(b);
    for (std::int64_t i = 0; i < lanes<T>; ++i) {
      a[i] = f(a[i], b[i]);
    }
    return V::load_aligned(a);
  }

  /// A function of doubles, or the one for floats in double precision.
  template <auto of_doubles, auto of_floats>
  static V either(const V& x, const V& y) {
    if constexpr (sizeof(T) == sizeof(double)) {
      return of_doubles(x, y);
    } else {
      return in_double_precision<of_floats>(x, y);
    }
  }

  static V zero() { return V(T{0}); }
  static V one() { return V(T{1}); }
  static V truth(typename V::batch_bool_type condition) { return xsimd::select(condition, one(), zero()); }
  static V falsehood(typename V::batch_bool_type condition) { return xsimd::select(condition, zero(), one()); }

  // The sign bit alone, whatever counts as zero: compilers make that of a product with -1, or leave it.
  static V negative(V x) { return x ^ V(-T{0}); }
  static V abs(V x) { return xsimd::abs(x); }
  static V sign(V x) {
    // The sum keeps zeros and NaN, and makes 0 of a subnormal number where that counts as one.
    return xsimd::select(x < zero(), V(T{-1}), xsimd::select(x > zero(), one(), x + x));
  }
  static V exp(V x) { return Exponentials<T>::exp(x); }
  static V exp2(V x) { return Exponentials<T>::exp2(x); }
  static V expm1(V x) { return Exponentials<T>::expm1(x); }
  static V log(V x) { return Exponentials<T>::log(x); }
  static V log2(V x) { return Exponentials<T>::log2(x); }
  static V log10(V x) { return Exponentials<T>::log10(x); }
  static V log1p(V x) { return Exponentials<T>::log1p(x); }
  static V sqrt(V x) { return xsimd::sqrt(x); }
  static V cbrt(V x) { return Exponentials<T>::cbrt(x); }
  static V sin(V x) { return Trigonometry<T>::sin(x); }
  static V cos(V x) { return Trigonometry<T>::cos(x); }
  static V tan(V x) { return Trigonometry<T>::tan(x); }
  static V asin(V x) { return Trigonometry<T>::asin(x); }
  static V acos(V x) { return xsimd::acos(x); }
  static V atan(V x) { return Trigonometry<T>::atan(x); }
  static V sinh(V x) { return Exponentials<T>::sinh(x); }
  static V cosh(V x) { return Exponentials<T>::cosh(x); }
  static V tanh(V x) { return xsimd::tanh(x); }
  static V asinh(V x) { return Exponentials<T>::asinh(x); }
  static V acosh(V x) { return Exponentials<T>::acosh(x); }
  static V atanh(V x) { return xsimd::atanh(x); }
  static V erf(V x) { return ErrorFunction<T>::erf(x); }
  static V erfc(V x) { return ErrorFunction<T>::erfc(x); }
  static V sigmoid(V x) { return Exponentials<T>::sigmoid(x); }
  static V relu(V x) { return xsimd::select(x <= zero(), zero(), x); }  // NaN stays
  // Zeros have the sign of x, which xsimd forgets without SSE 4.1.
  static V floor(V x) { return xsimd::floor(x) | xsimd::bitofsign(x); }
  static V ceil(V x) { return xsimd::ceil(x) | xsimd::bitofsign(x); }
  static V round(V x) { return xsimd::nearbyint(x); }  // half to even
  static V trunc(V x) { return xsimd::trunc(x) | xsimd::bitofsign(x); }
  static V logical_not(V x) { return truth(x == zero()); }

  static V add(V x, V y) { return x + y; }
  static V subtract(V x, V y) { return x - y; }
  static V multiply(V x, V y) { return x * y; }
  static V divide(V x, V y) { return x / y; }
  // The remainder of floored division: it has the divisor's sign.
  static V remainder(V x, V y) {
    const V r = lane_by_lane<fmod_of>(x, y);
    return xsimd::select(((r < zero()) & (y > zero())) | ((r > zero()) & (y < zero())), r + y, r);
  }
  static V fmod(V x, V y) { return lane_by_lane<fmod_of>(x, y); }
  static V pow(V x, V y) { return either<Powers::of_doubles, Powers::of_floats>(x, y); }
  static V maximum(V x, V y) { return xsimd::select((x > y) | xsimd::isnan(x), x, y); }
  static V minimum(V x, V y) { return xsimd::select((x < y) | xsimd::isnan(x), x, y); }
  static V atan2(V x, V y) { return either<Plane::angle, Plane::angle>(x, y); }
  static V hypot(V x, V y) { return either<Plane::radius, Plane::radius_of_floats>(x, y); }
  static V less(V x, V y) { return truth(x < y); }
  static V less_equal(V x, V y) { return truth(x <= y); }
  static V equal(V x, V y) { return truth(x == y); }
  static V not_equal(V x, V y) { return falsehood(x == y); }
  static V logical_and(V x, V y) { return falsehood((x == zero()) | (y == zero())); }
  static V logical_or(V x, V y) { return falsehood((x == zero()) & (y == zero())); }

  static V where(V condition, V x, V y) { return xsimd::select(condition == zero(), y, x); }

  // Several at once, each rounded like the primitives that it is made of (fused multiply-adds would be no faster here), so
  // that results do not depend on what has been joined. The build keeps the compiler from contracting them.
  static V multiply_square(V x, V y) { return x * x * y; }
  static V multiply_square_add(V x, V y, V z) { return x * x * y + z; }
  static V add_product_and_square(V x, V y, V z, V w) { return x * y + z * z * w; }
  static V multiply_add(V x, V y, V z) { return x * y + z; }
  static V multiply_difference_add(V x, V y, V z, V w) { return (x - y) * z + w; }
  static V subtract_product(V x, V y, V z) { return z - x * y; }
  static V add_products(V x, V y, V z, V w) { return x * y + z * w; }
  static V sqrt_product(V x, V y) { return xsimd::sqrt(x * y); }
  static V sqrt_product_add(V x, V y, V z) { return xsimd::sqrt(x * y) + z; }
  static V product_quotient(V x, V y, V z) { return x * y / z; }
  static V subtract_product_quotient(V x, V y, V z, V w) { return w - x * y / z; }
};

}  // namespace xgrad::kernels::XGRAD_ISA
