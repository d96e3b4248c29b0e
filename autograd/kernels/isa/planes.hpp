#pragma once

#include <limits>

#include "autograd/kernels/isa/extended.hpp"
#include "autograd/kernels/isa/polynomial.hpp"

/// \file
/// The polar coordinates of a point of the plane. Special values are C's.

namespace xgrad::kernels::XGRAD_ISA {

struct Plane {
  using V = Batch<double>;

  /// √(x² + y²), where squares may be too large or too small.
  static V radius(const V& x, const V& y) {
    const V a = xsimd::abs(x);
    const V b = xsimd::abs(y);
    const V larger = xsimd::select(a < b, b, a);
    const V smaller = xsimd::select(a < b, a, b);
    const auto huge = larger > V(0x1p500);
    const auto tiny = larger < V(0x1p-400);
    const V factor = xsimd::select(huge, V(0x1p-600), xsimd::select(tiny, V(0x1p600), V(1.0)));
    const V back = xsimd::select(huge, V(0x1p600), xsimd::select(tiny, V(0x1p-600), V(1.0)));
    const Extended first = product_of(larger * factor, larger * factor);
    const Extended second = product_of(smaller * factor, smaller * factor);
    const Extended sum = ordered_sum_of(first.high, second.high);
    const V root = xsimd::sqrt(sum.high);
    // √(h + l) = √h + l / 2 √h
    const V rest = xsimd::fnma(root, root, sum.high) + (sum.low + (first.low + second.low));
    const V more = xsimd::select(root == V(0.0), V(0.0), rest / (root + root));
    const V result = (root + more) * back;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto infinite = (a == V(infinity)) | (b == V(infinity));
    return xsimd::select(infinite, V(infinity), xsimd::select(xsimd::isnan(x) | xsimd::isnan(y), x + y, result));
  }

  /// The same of floats, whose squares are exact as doubles, and neither too large nor too small.
  static V radius_of_floats(const V& x, const V& y) {
    const V infinity(std::numeric_limits<double>::infinity());
    const auto infinite = (xsimd::abs(x) == infinity) | (xsimd::abs(y) == infinity);
    return xsimd::select(infinite, infinity, xsimd::sqrt(x * x + y * y));
  }

  /// The angle of the point (x, y) from the first axis: atan2. Of the eight parts of the plane the first is 0 ≤ y ≤ x, where
  /// it is atan(y / x) = b + atan(t): b is 0, atan(1/2) or π/4, and t = (y - x tan(b)) / (x + y tan(b)) is small.
  static V angle(const V& y, const V& x) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    V a = xsimd::abs(x);
    V b = xsimd::abs(y);
    const auto infinite = (a == V(infinity)) | (b == V(infinity));
    const V finite_a = xsimd::select(a == V(infinity), V(1.0), V(0.0));
    const V finite_b = xsimd::select(b == V(infinity), V(1.0), V(0.0));
    a = xsimd::select(infinite, finite_a, a);
    b = xsimd::select(infinite, finite_b, b);
    const auto steep = a < b;
    const V larger = xsimd::select(steep, b, a);
    const V smaller = xsimd::select(steep, a, b);
    const V factor =
        xsimd::select(larger > V(0x1p1000), V(0x1p-100), xsimd::select(larger < V(0x1p-900), V(0x1p100), V(1.0)));
    const V d = larger * factor;
    const V n = smaller * factor;

    const auto middle = V(16.0) * n > V(7.0) * d;
    const auto far = V(16.0) * n > V(11.0) * d;
    const V zero(0.0);
    const V top = xsimd::select(far, n - d, xsimd::select(middle, n + n - d, n));
    const Extended bottom =
        sum_of(xsimd::select(middle, xsimd::select(far, d, d + d), d), xsimd::select(middle, n, zero));
    const V t = xsimd::select(top == zero, zero, top / bottom.high);
    const V t_rest =
        xsimd::select(top == zero, zero, (xsimd::fnma(t, bottom.high, top) - t * bottom.low) / bottom.high);
    const V base = xsimd::select(far, V(0x1.921fb54442d18p-1), xsimd::select(middle, V(0x1.dac670561bb4fp-2), zero));
    const V base_rest =
        xsimd::select(far, V(0x1.1a62633145c07p-55), xsimd::select(middle, V(0x1.a2b7f222f65e2p-56), zero));
    const V t_low = t_rest - t * behind_linear(t * t);

    // the angle is this one, π/2 minus it, or π minus one of those
    const auto left = (V(1.0) | xsimd::bitofsign(x)) < zero;
    const V quarter = xsimd::select(steep, V(1.0), xsimd::select(left, V(2.0), zero));
    const V sign = xsimd::select(steep, V(-1.0), V(1.0)) * xsimd::select(left, V(-1.0), V(1.0));
    const Extended whole = ordered_sum_of(quarter * V(0x1.921fb54442d18p+0), sign * base);
    const Extended sum = sum_of(whole.high, sign * t);
    const V low = (whole.low + sum.low) + (quarter * V(0x1.1a62633145c07p-54) + sign * (base_rest + t_low));
    const V result = (sum.high + low) ^ xsimd::bitofsign(y);
    return xsimd::select(xsimd::isnan(x) | xsimd::isnan(y), x + y, result);
  }

 private:
  /// 1 - atan(t) / t of t², |t| ≤ 7/16 (as in fdlibm, by Sun Microsystems).
  static V behind_linear(const V& square) {
    return square * polynomial(square, 3.33333333333329318027e-01, -1.99999999998764832476e-01,
                               1.42857142725034663711e-01, -1.11111104054623557880e-01, 9.09088713343650656196e-02,
                               -7.69187620504482999495e-02, 6.66107313738753120669e-02, -5.83357013379057348645e-02,
                               4.97687799461593236017e-02, -3.65315727442169155270e-02, 1.62858201153657823623e-02);
  }
};

}  // namespace xgrad::kernels::XGRAD_ISA
