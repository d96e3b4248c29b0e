#pragma once

#include <limits>
#include <type_traits>

#include "autograd/kernels/isa/exponentials.hpp"

/// \file
/// The error function and its complement (xsimd's is off by up to 68 units in the last place).

namespace xgrad::kernels::XGRAD_ISA {

/// In double precision, by the rational approximations of fdlibm (Sun Microsystems, 1993).
struct DoubleErrorFunction {
  using V = Batch<double>;

  static V erf(const V& x) {
    const V size = xsimd::abs(x);
    V y = size + size * near(size * size);
    const auto beyond = size >= V(0.84375);
    if (xsimd::any(beyond)) {
      const V far = V(1.0) - tail(xsimd::select(size > V(6.0), V(6.0), size));
      y = xsimd::select(beyond, xsimd::select(size < V(1.25), V(erf_of_1) + around_1(size), far), y);
      y = xsimd::select(xsimd::isnan(x), x, y);
    }
    return y | xsimd::bitofsign(x);
  }

  static V erfc(const V& x) {
    const V size = xsimd::abs(x);
    const V part = x * near(x * x);
    V y = xsimd::select(x < V(0.25), V(1.0) - (x + part), V(0.5) - ((x - V(0.5)) + part));
    const auto beyond = size >= V(0.84375);
    if (xsimd::any(beyond)) {
      const V far = tail(xsimd::select(size > V(28.0), V(28.0), size));
      const V right = xsimd::select(size < V(1.25), (V(1.0) - V(erf_of_1)) - around_1(size), far);
      const V left = xsimd::select(size < V(1.25), V(1.0) + (V(erf_of_1) + around_1(size)), V(2.0) - far);
      y = xsimd::select(beyond, xsimd::select(x < V(0.0), left, right), y);
    }
    return xsimd::select(xsimd::isnan(x), x, y);
  }

 private:
  static constexpr double erf_of_1 = 8.45062911510467529297e-01;  // its first digits

  /// erf(x) / x - 1 of x², |x| ≤ 0.84375.
  static V near(const V& square) {
    return polynomial(square, 1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02,
                      -5.77027029648944159157e-03, -2.37630166566501626084e-05) /
           polynomial(square, 1.0, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03,
                      1.32494738004321644526e-04, -3.96022827877536812320e-06);
  }

  /// erf(x) - erf(1), 0.84375 ≤ x < 1.25.
  static V around_1(const V& x) {
    const V s = x - V(1.0);
    return polynomial(s, -2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01,
                      3.18346619901161753674e-01, -1.10894694282396677476e-01, 3.54783043256182359371e-02,
                      -2.16637559486879084300e-03) /
           polynomial(s, 1.0, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02,
                      1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02);
  }

  /// erfc(x) = exp(-x² - 0.5625 + R / S) / x for 1.25 ≤ x ≤ 28, where R and S are polynomials in 1 / x². A square of few
  /// digits is exact: exp(-x²) = exp(-h²) · exp(-(x - h) (x + h)).
  static V tail(const V& x) {
    const V s = V(1.0) / (x * x);
    V quotient = polynomial(s, -9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e+01,
                            -6.23753324503260060396e+01, -1.62396669462573470355e+02, -1.84605092906711035994e+02,
                            -8.12874355063065934246e+01, -9.81432934416914548592e+00) /
                 polynomial(s, 1.0, 1.96512716674392571292e+01, 1.37657754143519042600e+02, 4.34565877475229228821e+02,
                            6.45387271733267880336e+02, 4.29008140027567833386e+02, 1.08635005541779435134e+02,
                            6.57024977031928170135e+00, -6.04244152148580987438e-02);
    const auto far = x >= V(1 / 0.35);
    if (xsimd::any(far)) {
      const V other = polynomial(s, -9.86494292470009928597e-03, -7.99283237680523006574e-01,
                                 -1.77579549177547519889e+01, -1.60636384855821916062e+02, -6.37566443368389627722e+02,
                                 -1.02509513161107724954e+03, -4.83519191608651397019e+02) /
                      polynomial(s, 1.0, 3.03380607434824582924e+01, 3.25792512996573918826e+02,
                                 1.53672958608443695994e+03, 3.19985821950859553908e+03, 2.55305040643316442583e+03,
                                 4.74528541206955367215e+02, -2.24409524465858183362e+01);
      quotient = xsimd::select(far, other, quotient);
    }
    const V high = (x + V(6442450944.0)) - V(6442450944.0);  // to multiples of 2^-20
    return Exponentials<double>::exp(-(high * high) - V(0.5625)) *
           Exponentials<double>::exp((high - x) * (high + x) + quotient) / x;
  }
};

template <class T>
struct ErrorFunction {
  using V = Batch<T>;

  static V erf(const V& x) {
    if constexpr (std::is_same_v<T, double>) {
      return DoubleErrorFunction::erf(x);
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
      return DoubleErrorFunction::erfc(x);
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
