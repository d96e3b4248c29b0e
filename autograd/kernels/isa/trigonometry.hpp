#pragma once

#include <limits>
#include <type_traits>

#include "autograd/kernels/isa/large_angle.hpp"
#include "autograd/kernels/isa/polynomial.hpp"

/// \file
/// Sines and their inverses.
///
/// An angle is x = n π/2 + r + low, where low is what rounding r has left: next to the multiples of π/2 most digits of x
/// are used up by n π/2, and r alone would have few right ones. xsimd's does not keep low, and what it gives for one lane
/// depends on the others.

namespace xgrad::kernels::XGRAD_ISA {

template <class T>
struct Trigonometry {
  using V = Batch<T>;
  static constexpr bool single = std::is_same_v<T, float>;
  static constexpr T largest = single ? 3200 : 1600000;  // up to here n has 11 and 20 bits

  struct Angle {
    V n;
    V r;
    V low;
  };

  static Angle reduced(const V& x) {
    // π/2 in pieces of so few bits that n times a piece is exact
    constexpr T pieces[4] = {static_cast<T>(single ? 0x1.921p+0 : 0x1.921fb544p+0),
                             static_cast<T>(single ? 0x1.f6ap-13 : 0x1.0b4611a6p-34),
                             static_cast<T>(single ? 0x1.11p-26 : 0x1.3198a2ep-69),
                             static_cast<T>(single ? 0x1.68c234p-39 : 0x1.b839a252049c1p-104)};
    const V n = xsimd::nearbyint(x * V(static_cast<T>(0.63661977236758134)));
    V high = x - n * V(pieces[0]);
    V rest = n * V(pieces[1]);
    const V first = high - rest;
    V low = (high - first) - rest;
    rest = n * V(pieces[2]);
    high = first - rest;
    low = low + ((first - high) - rest) - n * V(pieces[3]);
    const V r = high + low;
    return {n, r, (high - r) + low};
  }

  static Angle reduced_with_large(const V& x) {
    const Angle usual = reduced(x);
    alignas(64) T from[lanes<T>];
    alignas(64) T n[lanes<T>];
    alignas(64) T r[lanes<T>];
    alignas(64) T low[lanes<T>];
    x.store_aligned(from);
    usual.n.store_aligned(n);
    usual.r.store_aligned(r);
    usual.low.store_aligned(low);
    for (std::int64_t i = 0; i < lanes<T>; ++i) {
      if (from[i] > std::numeric_limits<T>::max()) {
        n[i] = 0;
        r[i] = std::numeric_limits<T>::quiet_NaN();
      } else if (from[i] > largest) {
        const LargeAngle angle = reduce_large_angle(static_cast<double>(from[i]));
        n[i] = static_cast<T>(angle.n);
        r[i] = static_cast<T>(angle.high);
        low[i] = static_cast<T>(angle.high - static_cast<double>(r[i]) + angle.low);
      }
    }
    return {V::load_aligned(n), V::load_aligned(r), V::load_aligned(low)};
  }

  /// sin(r + low) = r + sine and cos(r + low) = 1 + cosine, of |x|.
  struct Parts {
    V n;
    V r;
    V sine;
    V cosine;
  };

  static Parts parts(const Angle& x) {
    const V square = x.r * x.r;
    return {x.n, x.r, multiply_add(square * x.r, sine_polynomial(square), x.low), cosine_of(square) - x.r * x.low};
  }

  /// f of the parts of |x|.
  template <V (*f)(const V& x, const Parts& parts)>
  static V of_parts(const V& x) {
    const V size = xsimd::abs(x);
    return xsimd::any(size > V(largest)) ? of_large<f>(x) : f(x, parts(reduced(size)));
  }
  template <V (*f)(const V& x, const Parts& parts)>
  [[gnu::noinline]] static V of_large(const V& x) {
    return f(x, parts(reduced_with_large(xsimd::abs(x))));
  }

  static V sine(const V& x, const Parts& p) { return turned(p, V(T{0})) ^ xsimd::bitofsign(x); }
  static V cosine(const V&, const Parts& p) { return turned(p, V(T{1})); }

  static V sin(const V& x) { return of_parts<sine>(x); }
  static V cos(const V& x) { return of_parts<cosine>(x); }
  static V tan(const V& x) { return of_parts<tangent>(x); }

  static V tangent(const V& x, const Parts& p) {
    const V one(T{1});
    const V sin = p.r + p.sine;
    const V cos = one + p.cosine;
    const auto even = is_even(p.n);
    const V numerator = xsimd::select(even, sin, -cos);
    const V denominator = xsimd::select(even, cos, sin);
    // what rounding sine and cosine has left, relative to them, shifts the quotient
    const V sine_rest = (p.r - sin) + p.sine;
    const V cosine_rest = (one - cos) + p.cosine;
    const V top = xsimd::select(even, sine_rest, -cosine_rest);
    const V bottom = xsimd::select(even, cosine_rest, sine_rest);
    const V inverse = one / denominator;
    const V quotient = numerator * inverse;
    const V rest = top - quotient * bottom - multiply_add(quotient, denominator, -numerator);
    const V y = multiply_add(rest, inverse, quotient);
    return xsimd::select(x == V(T{0}), V(T{0}), y) ^ xsimd::bitofsign(x);  // the rest of 0 is not a number
  }

  static V asin(const V& x) {
    if constexpr (single) {
      const V size = xsimd::abs(x);
      const auto large = size > V(0.5F);
      // asin(x) = π/2 - 2 asin(√((1 - x) / 2))
      const V square = xsimd::select(large, V(0.5F) * (V(1.0F) - size), size * size);
      const V root = xsimd::select(large, xsimd::sqrt(square), size);
      const V rest = root * square *
                     polynomial(square, 0.1666666634F, 0.07500094543F, 0.04459940153F, 0.03110066274F, 0.01714923836F,
                                0.0336908472F);
      const V quarter(0.78539816339744831F);
      const V low(-4.37113883e-8F);  // what rounding π/2 has left
      const V far = quarter + ((quarter - (root + root)) - (rest + rest - low));
      return xsimd::select(large, far, root + rest) ^ xsimd::bitofsign(x);
    } else {
      return xsimd::asin(x);
    }
  }

  static V atan(const V& x) {
    if constexpr (single) {
      // atan(x) = π/4 + atan((x - 1) / (x + 1)) = π/2 - atan(1 / x)
      const V size = xsimd::abs(x);
      const auto middle = size > V(0.66F);
      const auto large = size > V(2.41421356F);
      const V one(1.0F);
      const V top = xsimd::select(large, -one, xsimd::select(middle, size - one, size));
      const V bottom = xsimd::select(large, size, xsimd::select(middle, size + one, one));
      const V base = xsimd::select(large, V(1.57079632679F), xsimd::select(middle, V(0.785398163397F), V(0.0F)));
      const V t = top / bottom;
      const V square = t * t;
      const V rest = t * square *
                     polynomial(square, -0.3333333268F, 0.1999985332F, -0.142802181F, 0.1103233584F, -0.08536442906F,
                                0.05569375458F, -0.020601481F);
      return (base + (t + rest)) ^ xsimd::bitofsign(x);
    } else {
      return xsimd::atan(x);
    }
  }

 private:
  /// (sin(r) - r) / r³ of r².
  static V sine_polynomial(const V& square) {
    if constexpr (single) {
      return polynomial(square, -1.6666654611e-1F, 8.3321608736e-3F, -1.9515295891e-4F);
    } else {
      return polynomial(square, -1.66666666666666307295e-1, 8.33333333332211858878e-3, -1.98412698295895385996e-4,
                        2.75573136213857245213e-6, -2.50507477628578072866e-8, 1.58962301576546568060e-10);
    }
  }

  /// cos(r) - 1 of r².
  static V cosine_of(const V& square) {
    if constexpr (single) {
      return multiply_add(square * square,
                          polynomial(square, 4.166664568298827e-2F, -1.388731625493765e-3F, 2.443315711809948e-5F),
                          V(-0.5F) * square);
    } else {
      return multiply_add(
          square * square,
          polynomial(square, 4.16666666666665929218e-2, -1.38888888888730564116e-3, 2.48015872888517045348e-5,
                     -2.75573141792967388112e-7, 2.08757008419747316778e-9, -1.13585365213876817300e-11),
          V(-0.5) * square);
    }
  }

  static auto is_even(const V& n) {
    const V half = n * V(T{0.5});
    return half == xsimd::floor(half);
  }

  /// sin(x + turns π/2).
  static V turned(const Parts& p, const V& turns) {
    const V n = p.n + turns;
    const V half = xsimd::floor(n * V(T{0.5}));
    const V y = xsimd::select(n == half + half, p.r + p.sine, V(T{1}) + p.cosine);
    return xsimd::select(is_even(half), y, -y);
  }
};

}  // namespace xgrad::kernels::XGRAD_ISA
