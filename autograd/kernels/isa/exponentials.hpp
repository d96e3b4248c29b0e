#pragma once

#include <limits>
#include <type_traits>

#include "autograd/kernels/isa/polynomial.hpp"

/// \file
/// exp and its relatives over the whole range of their results, subnormal numbers included.
///
/// xsimd's exp ends a little early at both sides, and its logarithms and roots do not take subnormal numbers in double
/// precision; within that range they are as good as they need to be, and used.

namespace xgrad::kernels::XGRAD_ISA {

template <class T>
struct Exponentials {
  using V = Batch<T>;
  static constexpr bool single = std::is_same_v<T, float>;

  static V constant(double x) { return V(static_cast<T>(x)); }

  /// x = k log 2 + r + low for a whole number k and |r| ≤ log(2) / 2; low is what rounding r has left.
  struct Reduced {
    V k;
    V r;
    V low;
  };

  static Reduced reduce(const V& x) {
    const V k = xsimd::nearbyint(x * constant(1.4426950408889634));
    const V high = xsimd::fnma(k, constant(single ? 0.693359375 : 6.93145751953125e-1), x);  // exact: 1 has few digits
    const V rest = k * constant(single ? -2.12194440054690583e-4 : 1.42860682030941723212e-6);
    const V r = high - rest;
    return {k, r, (high - r) - rest};
  }

  /// eʳ - 1 - r.
  static V behind_linear(const V& r) {
    if constexpr (single) {
      return r * r * polynomial(r, 0.5F, 0.1666657689F, 0.0416665545F, 0.008363194882F, 0.001392620336F);
    } else {
      // eʳ = 1 + r + r c / (2 - c), where r - c = r² times a polynomial (W. Kahan's, as in fdlibm)
      const V square = r * r;
      const V c =
          xsimd::fnma(square,
                      polynomial(square, 1.66666666666666019037e-01, -2.77777777770155933842e-03,
                                 6.61375632143793436117e-05, -1.65339022054652515390e-06, 4.13813679705723846039e-08),
                      r);
      return r * c / (V(2.0) - c);
    }
  }

  /// y · 2ᵏ in two factors: 2ᵏ alone may be too large or too small for a normal number.
  static V scaled(const V& y, const V& k) {
    const V most = limited<T>(k, single ? -125 : -1021, single ? 127 : 1023);
    return y * power_of_two(most) * power_of_two(k - most);
  }

  /// eˣ / 2ᵏ, and k.
  static V significand(const V& x, V& k) {
    const Reduced parts = reduce(x);
    k = parts.k;
    const V y = V(T{1}) + parts.r;
    return y + (((V(T{1}) - y) + parts.r) + (behind_linear(parts.r) + parts.low));
  }

  /// eˣ⁺ʳ, where the rest is small against x, or against 1.
  static V exp_of_sum(const V& x, const V& rest) {
    const Reduced parts = reduce(limited<T>(x, single ? -104 : -746, single ? 91 : 712));
    const V more = parts.low + rest;
    const V r = parts.r + more;
    const V part = r - parts.r;
    const V low = (parts.r - (r - part)) + (more - part);
    const V y = V(T{1}) + r;
    return scaled(y + (((V(T{1}) - y) + r) + (behind_linear(r) + low * y)), parts.k);
  }

  /// eˣ / 2ⁿ of any x.
  template <int n>
  [[gnu::noinline]] static V exp_anywhere(const V& x) {
    V k;
    const V y = significand(limited<T>(x, single ? -104 : -746, single ? 91 : 712), k);
    return scaled(y, n == 0 ? k : k - V(T{n}));
  }

  template <int n = 0>
  static V exp(const V& x) {
    if (xsimd::any(xsimd::abs(x) > constant(single ? 87.3 : 708.3))) {
      return exp_anywhere<n>(x);  // 2ᵏ may not be a normal number
    }
    V k;
    const V y = significand(x, k);
    return y * power_of_two(n == 0 ? k : k - V(T{n}));
  }

  /// 2ˣ = 2ᵏ eʳ with r = (x - k) log 2, where x - k is exact.
  static V exp2(const V& x) {
    const V inside = limited<T>(x, single ? -151 : -1076, single ? 129 : 1025);
    const V k = xsimd::nearbyint(inside);
    const V rest = inside - k;
    const V r = rest * constant(0.69314718055994530942);
    const V low = xsimd::fms(rest, constant(0.69314718055994530942), r) +
                  rest * constant(single ? -1.90465429995776804525e-9 : 2.3190468138462995584e-17);
    const V y = V(T{1}) + r;
    return scaled(y + (((V(T{1}) - y) + r) + (behind_linear(r) + low)), k);
  }

  static V expm1(const V& x) {
    if constexpr (single) {
      const auto [k, r, low] = reduce(limited<T>(x, -20, 89));
      // half of it, as 2ᵏ may be too large: (2ᵏ⁻¹ - 1/2) + 2ᵏ⁻¹ r, what rounding that sum left, and the rest
      const V power = power_of_two(k - V(T{1}));
      const V whole = power - V(T{0.5});
      const V part = power * r;
      const V sum = whole + part;
      const V y = sum + (((whole - sum) + part) + power * (behind_linear(r) + low));
      return xsimd::select(xsimd::abs(x) < V(2.9e-8F), x, y + y);
    } else {
      V y = xsimd::expm1(x);
      const auto large = x > V(700.0);
      if (xsimd::any(large)) {
        y = xsimd::select(large, exp(x), y);
      }
      return y | xsimd::bitofsign(x);  // that of 0
    }
  }

  // The exponent is never positive, so nothing overflows. 1 / (1 + exp(-x)) = 1 - e / (1 + e) with e = exp(-x), and
  // e / (1 + e) = e - e · e / (1 + e).
  static V sigmoid(const V& x) {
    const V e = exp(-xsimd::abs(x));
    const V rest = e / (V(T{1}) + e);
    return xsimd::select(x < V(T{0}), e - e * rest, V(T{1}) - rest);
  }

  static V sinh(const V& x) {
    const V size = xsimd::abs(x);
    const V half = exp<1>(size);
    const V y = xsimd::select(size < V(T{1}), xsimd::kernel::detail::sinh_kernel(size), half - V(T{0.25}) / half);
    return y | xsimd::bitofsign(x);
  }

  static V cosh(const V& x) {
    const V half = exp<1>(xsimd::abs(x));
    return half + V(T{0.25}) / half;
  }

  static V log(const V& x) {
    V y = xsimd::log(x);
    if constexpr (!single) {
      if (xsimd::any(x < V(std::numeric_limits<T>::min()))) {
        y = xsimd::select(is_subnormal(x), xsimd::log(x * up()) - V(37.42994775023704793190), y);  // 54 log 2
      }
    }
    return y;
  }

  static V log2(const V& x) {
    V y = xsimd::log2(x);
    if constexpr (!single) {
      if (xsimd::any(x < V(std::numeric_limits<T>::min()))) {
        y = xsimd::select(is_subnormal(x), xsimd::log2(x * up()) - V(54.0), y);
      }
    }
    return y;
  }

  static V log10(const V& x) {
    V y = xsimd::log10(x);
    if constexpr (!single) {
      if (xsimd::any(x < V(std::numeric_limits<T>::min()))) {
        y = xsimd::select(is_subnormal(x), xsimd::log10(x * up()) - V(16.25561976585498453), y);  // 54 log 2 / log 10
      }
    }
    return y;
  }

  static V log1p(const V& x) { return xsimd::log1p(x) | xsimd::bitofsign(x); }

  static V cbrt(const V& x) {
    V y = xsimd::cbrt(x);
    if constexpr (!single) {
      if (const auto tiny = is_subnormal(xsimd::abs(x)); xsimd::any(tiny)) {
        y = xsimd::select(tiny, xsimd::cbrt(x * up()) * V(3.814697265625e-6), y);  // 2^-18
      }
    }
    return y;
  }

  static V asinh(const V& x) {
    if constexpr (single) {
      const V size = xsimd::abs(x);
      const V square = size * size;
      const V near =
          polynomial(square, -0.1666666662F, 0.07499990283F, -0.04463958143F, 0.03033828156F, -0.02206924395F,
                     0.0161022092F, -0.01064080761F, 0.005530514046F, -0.001883845458F, 0.0003028242786F);
      // log(2 x) + log((1 + √(1 + w)) / 2) with w = 1 / x²
      const V w = V(1.0F) / square;
      const V far = polynomial(w, 0.249999977F, -0.09374703784F, 0.05201908946F, -0.03363236397F, 0.02221591148F,
                               -0.01267833825F, 0.004991509672F, -0.000942353787F);
      const V y = xsimd::select(size < V(1.0F), multiply_add(size * square, near, size),
                                xsimd::log(size) + multiply_add(w, far, V(0.6931471806F)));
      return y | xsimd::bitofsign(x);
    } else {
      return xsimd::asinh(x);
    }
  }

  static V acosh(const V& x) {
    if constexpr (single) {
      const V beyond = x - V(1.0F);
      const V near = polynomial(beyond, -0.08333333286F, 0.01874993223F, -0.005578752743F, 0.001884761164F,
                                -0.0006414622959F, 0.0001552578798F);
      const V root = xsimd::sqrt(beyond + beyond);  // NaN where x is less than 1
      const V w = V(-1.0F) / (x * x);
      const V far = polynomial(w, 0.2500000248F, -0.09374455507F, 0.05227539207F, -0.03168963766F, 0.03953124794F,
                               0.02465910685F, 0.06970234834F);
      return xsimd::select(x > V(1.5F), xsimd::log(x) + multiply_add(w, far, V(0.6931471806F)),
                           multiply_add(root * beyond, near, root));
    } else {
      return xsimd::select(x < V(1.0), V(std::numeric_limits<T>::quiet_NaN()), xsimd::acosh(x));
    }
  }

 private:
  static auto is_subnormal(const V& x) { return (x > V(T{0})) & (x < V(std::numeric_limits<T>::min())); }
  static V up() { return V(static_cast<T>(18014398509481984.0)); }  // 2^54: makes normal numbers of subnormal ones
};

}  // namespace xgrad::kernels::XGRAD_ISA
