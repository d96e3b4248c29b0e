#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <vector>

#include "autograd/kernels/gamma.hpp"
#include "autograd/kernels/horner.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/pieces.hpp"

/// \file
/// Functions of statistics, one number after another: lgamma in double (gamma.hpp), the others in long double, rounded once.
/// What they are made of is arithmetic alone, which has the same bits on every CPU that has this type, and with every C library.

namespace xgrad::kernels {

namespace {

using Real = long double;

constexpr Real not_a_number = std::numeric_limits<Real>::quiet_NaN();
constexpr Real infinite = std::numeric_limits<Real>::infinity();
constexpr Real pi = std::numbers::pi_v<Real>;

/// log x of x > 0: x = 2ᵏ m, √½ ≤ m < √2, and log m = 2 artanh(s) = 2 s + 2/3 s³ + ... with s = (m - 1) / (m + 1).
Real logarithm_of(Real x) {
  constexpr Real odd[] = {2.0L,      2.0L / 3,  2.0L / 5,  2.0L / 7,  2.0L / 9,  2.0L / 11, 2.0L / 13,
                          2.0L / 15, 2.0L / 17, 2.0L / 19, 2.0L / 21, 2.0L / 23, 2.0L / 25};
  int exponent = 0;
  Real m = std::frexp(x, &exponent);
  if (m < 1 / std::numbers::sqrt2_v<Real>) {
    m *= 2;
    --exponent;
  }
  const Real s = (m - 1) / (m + 1);
  return static_cast<Real>(exponent) * std::numbers::ln2_v<Real> + s * horner(s * s, odd);
}

/// tan(π x) of 0 ≤ x ≤ 1/4, by the series of sine and cosine.
Real tangent_of_pi(Real x) {
  constexpr Real sine[] = {1.0L,
                           -1.0L / 6,
                           1.0L / 120,
                           -1.0L / 5040,
                           1.0L / 362880,
                           -1.0L / 39916800,
                           1.0L / 6227020800,
                           -1.0L / 1307674368000,
                           1.0L / 355687428096000,
                           -1.0L / 121645100408832000};
  constexpr Real cosine[] = {1.0L,
                             -1.0L / 2,
                             1.0L / 24,
                             -1.0L / 720,
                             1.0L / 40320,
                             -1.0L / 3628800,
                             1.0L / 479001600,
                             -1.0L / 87178291200,
                             1.0L / 20922789888000,
                             -1.0L / 6402373705728000,
                             1.0L / 2432902008176640000};
  const Real y = pi * x;
  return y * horner(y * y, sine) / horner(y * y, cosine);
}

/// The quantile of the normal distribution by rational approximations (Wichura, Algorithm AS 241: the percentage points of
/// the normal distribution, 1988), at p = (1 + x) / 2: √2 times the inverse of erf.
Real normal_quantile(double x) {
  constexpr Real near_top[] = {3.3871328727963666080e0L, 1.3314166789178437745e2L, 1.9715909503065514427e3L,
                               1.3731693765509461125e4L, 4.5921953931549871457e4L, 6.7265770927008700853e4L,
                               3.3430575583588128105e4L, 2.5090809287301226727e3L};
  constexpr Real near_bottom[] = {1.0L,
                                  4.2313330701600911252e1L,
                                  6.8718700749205790830e2L,
                                  5.3941960214247511077e3L,
                                  2.1213794301586595867e4L,
                                  3.9307895800092710610e4L,
                                  2.8729085735721942674e4L,
                                  5.2264952788528545610e3L};
  constexpr Real middle_top[] = {1.42343711074968357734e0L,  4.63033784615654529590e0L, 5.76949722146069140550e0L,
                                 3.64784832476320460504e0L,  1.27045825245236838258e0L, 2.41780725177450611770e-1L,
                                 2.27238449892691845833e-2L, 7.74545014278341407640e-4L};
  constexpr Real middle_bottom[] = {1.0L,
                                    2.05319162663775882187e0L,
                                    1.67638483018380384940e0L,
                                    6.89767334985100004550e-1L,
                                    1.48103976427480074590e-1L,
                                    1.51986665636164571966e-2L,
                                    5.47593808499534494600e-4L,
                                    1.05075007164441684324e-9L};
  constexpr Real far_top[] = {6.65790464350110377720e0L,  5.46378491116411436990e0L,  1.78482653991729133580e0L,
                              2.96560571828504891230e-1L, 2.65321895265761230930e-2L, 1.24266094738807843860e-3L,
                              2.71155556874348757815e-5L, 2.01033439929228813265e-7L};
  constexpr Real far_bottom[] = {1.0L,
                                 5.99832206555887937690e-1L,
                                 1.36929880922735805310e-1L,
                                 1.48753612908506148525e-2L,
                                 7.86869131145613259100e-4L,
                                 1.84631831751005468180e-5L,
                                 1.42151175831644588870e-7L,
                                 2.04426310338993978564e-15L};
  const double size = std::abs(x);
  if (size <= 0.85) {
    const Real r = 0.180625L - static_cast<Real>(x) * x / 4;
    return static_cast<Real>(x) / 2 * (horner(r, near_top) / horner(r, near_bottom));
  }
  const Real r = std::sqrt(-logarithm_of((1 - static_cast<Real>(size)) / 2));
  const Real y = r <= 5 ? horner(r - 1.6L, middle_top) / horner(r - 1.6L, middle_bottom)
                        : horner(r - 5, far_top) / horner(r - 5, far_bottom);
  return std::copysign(y, static_cast<Real>(x));
}

Real inverse_error_function(double x) {
  if (!(std::abs(x) < 1)) {
    return std::abs(x) == 1 ? std::copysign(infinite, static_cast<Real>(x)) : not_a_number;
  }
  return normal_quantile(x) / std::numbers::sqrt2_v<Real>;
}

// B₂ⱼ / (2j) of Bernoulli's numbers.
constexpr Real bernoulli_parts[] = {1.0L / 12,        -1.0L / 120,       1.0L / 252,     -1.0L / 240,
                                    1.0L / 132,       -691.0L / 32760,   1.0L / 12,      -3617.0L / 8160,
                                    43867.0L / 14364, -174611.0L / 6600, 77683.0L / 276, -236364091.0L / 65520};

/// cot(πx), from the nearest whole number, or the nearest half, where it is 0: both distances are exact.
Real cotangent(double x) {
  const Real off_whole = static_cast<Real>(x) - std::nearbyint(static_cast<Real>(x));
  const Real size = std::abs(off_whole);
  return std::copysign(size > 0.25L ? tangent_of_pi(0.5L - size) : 1 / tangent_of_pi(size), off_whole);
}

bool is_pole(double x) { return x <= 0 && x == std::floor(x); }

/// ψ around its zero x₀ = 1.46163...: ψ⁽ᵏ⁾(x₀) / k! are the coefficients, from k = 1 on.
Real digamma_around_zero(Real from_zero) {
  constexpr Real coefficients[] = {
      0.967672245447621170427445L,     -0.442763168983592106092865L,    0.258499760955651010624401L,
      -0.163942705442406527504251L,    0.107824050691262365757183L,     -0.0721995612564547109261218L,
      0.0488042881641431072250925L,    -0.0331611264748473592922584L,   0.0225976482322181046596248L,
      -0.0154247659049489591388003L,   0.010538791616612175388124L,     -0.00720453438635686824097047L,
      0.00492678139572985344635427L,   -0.00336980165543932808279286L,  0.00230512632673492783693838L,
      -0.00157693677143019725927093L,  0.00107882520191629658069192L,   -0.000738070938996005129566047L,
      0.000504953265834602035177398L,  -0.000345468025106307699555568L, 0.000236356015640270527923696L,
      -0.000161706220919748034493583L, 0.000110633727687474109040872L};
  return from_zero * horner(from_zero, coefficients);
}

/// ψ(x) of x > 0: ψ(x) = ψ(x + 1) - 1 / x until Stirling's series holds, log x - 1 / 2x - Σ B₂ⱼ / (2j x²ʲ).
Real positive_digamma(Real x) {
  Real steps = 0;
  for (; x < 15; x += 1) {
    steps += 1 / x;
  }
  const Real square = 1 / (x * x);
  return logarithm_of(x) - 1 / (2 * x) - square * horner(square, bernoulli_parts) - steps;
}

Real digamma(double x) {
  if (x == 0) {
    return std::copysign(infinite, static_cast<Real>(-x));
  }
  if (std::isnan(x) || is_pole(x) || x == -std::numeric_limits<double>::infinity()) {
    return not_a_number;
  }
  if (std::isinf(x)) {
    return infinite;
  }
  if (x < 0) {
    return positive_digamma(1 - static_cast<Real>(x)) - pi * cotangent(x);
  }
  const Real from_zero = static_cast<Real>(x - 0x1.762d86356be3fp+0) - 9.549995429965697715184e-17L;
  return std::abs(from_zero) < 0.2L ? digamma_around_zero(from_zero) : positive_digamma(x);
}

Real power(Real x, std::int64_t n) {
  Real result = 1;
  for (; n > 0; n /= 2, x *= x) {
    result *= n % 2 == 1 ? x : Real{1};
  }
  return result;
}

/// ψ⁽ⁿ⁾ for one n ≥ 1.
class Polygamma {
 public:
  explicit Polygamma(std::int64_t order) : order_(order), derivative_{0, 1} {
    for (std::int64_t i = 2; i <= order; ++i) {
      factorial_ *= static_cast<Real>(i);
    }
    for (std::int64_t k = 0; k < order; ++k) {
      std::vector<Real> next(derivative_.size() + 1);
      for (std::size_t i = 1; i < derivative_.size(); ++i) {
        next[i - 1] -= static_cast<Real>(i) * derivative_[i];
        next[i + 1] -= static_cast<Real>(i) * derivative_[i];
      }
      derivative_ = next;
    }
  }

  /// (-1)ⁿ⁺¹ n! ζ(n + 1, x), and (-1)ⁿ ψ⁽ⁿ⁾(1 - x) - (π cot(πx))⁽ⁿ⁾ for x < 0.
  Real operator()(double x) const {
    const bool odd = order_ % 2 == 1;
    if (x == 0) {
      return odd ? infinite : std::copysign(infinite, static_cast<Real>(-x));
    }
    if (std::isnan(x) || x == -std::numeric_limits<double>::infinity()) {
      return not_a_number;
    }
    if (is_pole(x)) {
      return odd ? infinite : not_a_number;  // both sides go to +∞, or to different ends
    }
    if (std::isinf(x)) {
      return odd ? 0.0L : -0.0L;
    }
    if (x < 0) {
      return -factorial_times_zeta(1 - static_cast<Real>(x)) - cotangent_derivative(x);
    }
    const Real size = factorial_times_zeta(x);
    return odd ? size : -size;
  }

 private:
  /// n! ζ(n + 1, x) of x > 0, where ζ(s, x) = Σ (x + k)⁻ˢ, by Euler and Maclaurin's formula from x ≥ 20 + s on.
  Real factorial_times_zeta(Real x) const {
    const auto order = static_cast<Real>(order_);
    Real sum = 0;  // of (x + k)⁻ˢ
    for (; x < 21 + order; x += 1) {
      sum += power(1 / x, order_ + 1);
    }
    Real tail = 1 / order + 1 / (2 * x);  // times x⁻ⁿ
    Real rising = 1;                      // (s)(s + 1)...(s + 2j - 2) / (2j - 1)! x⁻²ʲ
    const Real square = 1 / (x * x);
    for (std::size_t j = 1; j <= std::size(bernoulli_parts); ++j) {
      const auto k = static_cast<Real>(2 * j);
      rising *= j == 1 ? (order + 1) * square : (order + k - 2) * (order + k - 1) / ((k - 2) * (k - 1)) * square;
      tail += bernoulli_parts[j - 1] * rising;
    }
    return factorial_ * (sum + tail * power(1 / x, order_));
  }

  /// The n-th derivative of π cot(πx): πⁿ⁺¹ Pₙ(c) with c = cot(πx).
  Real cotangent_derivative(double x) const {
    const Real c = cotangent(x);
    Real sum = 0;
    for (std::size_t i = derivative_.size(); i-- > 0;) {
      sum = sum * c + derivative_[i];
    }
    return power(pi, order_ + 1) * sum;
  }

  std::int64_t order_;
  Real factorial_ = 1;            // n!
  std::vector<Real> derivative_;  // Pₙ, where P₀ = c and Pₖ₊₁ = -(1 + c²) Pₖ'
};

template <class F>
void for_each_number(DType dtype, const void* in, void* out, std::int64_t count, const F& f) {
  constexpr std::int64_t grain = 256;
  const auto run = [&](const auto* x, auto* y) {
    using T = std::remove_reference_t<decltype(*y)>;
    for_each_piece(count, grain, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        y[i] = static_cast<T>(f(static_cast<double>(x[i])));
      }
    });
  };
  dispatch_floating(dtype, [&](auto zero) {
    using T = decltype(zero);
    run(static_cast<const T*>(in), static_cast<T*>(out));
  });
}

}  // namespace

void special(Special function, std::int64_t order, DType dtype, const void* in, void* out, std::int64_t count) {
  switch (function) {
    case Special::erfinv: return for_each_number(dtype, in, out, count, inverse_error_function);
    case Special::lgamma: return for_each_number(dtype, in, out, count, log_gamma);
    case Special::polygamma: break;
  }
  if (order == 0) {
    return for_each_number(dtype, in, out, count, digamma);
  }
  for_each_number(dtype, in, out, count, Polygamma(order));
}

}  // namespace xgrad::kernels
