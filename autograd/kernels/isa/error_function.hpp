#pragma once

#include <math.h>

#include <limits>
#include <type_traits>

#include "autograd/kernels/isa/exponentials.hpp"

/// \file
/// The error function and its complement. In double precision they are C's, lane by lane: xsimd's is off by up to 68 units
/// in the last place.

namespace xgrad::kernels::XGRAD_ISA {

inline double erf_of(double x) { return ::erf(x); }
inline double erfc_of(double x) { return ::erfc(x); }

template <class T>
struct ErrorFunction {
  using V = Batch<T>;

  static V erf(const V& x) {
    if constexpr (std::is_same_v<T, double>) {
      return lane_by_lane<T, erf_of>(x);
    } else {
      // 1 - exp(-(x + x q(x))) where that is the larger part (N. Juffa's)
      const V size = xsimd::select(xsimd::abs(x) > V(4.0F), V(4.0F), xsimd::abs(x));
      const V exponent = size * polynomial(size, -1.12871751e0F, -6.34846687e-1F, -1.06777877e-1F, 2.42546219e-2F,
                                           -3.88396438e-3F, 3.83197126e-4F, -1.72853470e-5F);
      const V far = V(1.0F) - Exponentials<T>::exp(exponent);
      return xsimd::select(size < V(0.927734375F), size + near(size), far) | xsimd::bitofsign(x);
    }
  }

  static V erfc(const V& x) {
    if constexpr (std::is_same_v<T, double>) {
      return lane_by_lane<T, erfc_of>(x);
    } else {
      const V size = xsimd::abs(x);
      const V far = tail(size);
      const V rest = near(size);
      const V sum = V(1.0F) - x;
      const V close = sum + (((V(1.0F) - sum) - x) - (rest | xsimd::bitofsign(x)));
      return xsimd::select(size < V(0.5F), close, xsimd::select(x < V(0.0F), V(2.0F) - far, far));
    }
  }

 private:
  /// erf(x) - x for 0 ≤ x ≤ 1.
  static V near(const V& x) {
    return x * polynomial(x * x, 0.1283791671F, -0.3761263847F, 0.112837825F, -0.02686543073F, 0.005221031808F,
                          -0.0008484080406F, 0.0001126595903F, -9.667044571e-6F);
  }

  /// erfc(x) for x ≥ 1/2: exp(-x²) / (1 + 2 x) times a polynomial in (x - 2) / (x + 2). A square of twelve bits is exact, and
  /// the rest of x² is small: exp(-x²) = exp(-h²) · exp(-(x - h) (x + h)).
  static V tail(const V& x) {
    const V most = limited<T>(x, 0, 20);
    const V t = (most - V(2.0F)) / (most + V(2.0F));
    const V p =
        polynomial(t, 1.276978381F, -0.09276381649F, -0.1660303401F, 0.16405076F, -0.05422129742F, -0.008026354884F,
                   0.008732654173F, 0.001224138285F, -0.00148729577F, -0.0003219904529F, 0.0002362815605F);
    const V high = (most + V(49152.0F)) - V(49152.0F);  // to multiples of 1 / 256
    const V rest = (high - most) * (most + high);
    const V y = p * multiply_add(rest, polynomial(rest, 1.0F, 0.5F, 0.16666667F, 0.04166667F), V(1.0F)) /
                (V(1.0F) + (most + most));
    return y * Exponentials<T>::exp(-(high * high));
  }
};

}  // namespace xgrad::kernels::XGRAD_ISA
