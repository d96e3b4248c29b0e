#pragma once

#include <cmath>
#include <cstddef>

/// \file
/// Numbers of 106 bits, as the sum of two doubles: the same on every CPU, which long double is not (T. Dekker, A
/// floating-point technique for extending the available precision, 1971).

namespace xgrad::kernels {

/// high + low, where low is at most half a unit of high's last place. Both are finite, and far from the ends of the range.
struct DoubleDouble {
  double high = 0;
  double low = 0;

  constexpr DoubleDouble() = default;
  constexpr DoubleDouble(double value) : high(value) {}
  constexpr DoubleDouble(double first, double second) : high(first), low(second) {}

  explicit operator double() const { return high; }
};

/// x + y, where x is not smaller than y.
inline DoubleDouble ordered_sum(double x, double y) {
  const double sum = x + y;
  return {sum, y - (sum - x)};
}

/// x + y.
inline DoubleDouble exact_sum(double x, double y) {
  const double sum = x + y;
  const double part = sum - x;
  return {sum, (x - (sum - part)) + (y - part)};
}

inline DoubleDouble operator-(const DoubleDouble& x) { return {-x.high, -x.low}; }

inline DoubleDouble operator+(const DoubleDouble& x, const DoubleDouble& y) {
  const DoubleDouble high = exact_sum(x.high, y.high);
  const DoubleDouble low = exact_sum(x.low, y.low);
  const DoubleDouble sum = ordered_sum(high.high, high.low + low.high);
  return ordered_sum(sum.high, sum.low + low.low);
}

inline DoubleDouble operator-(const DoubleDouble& x, const DoubleDouble& y) { return x + -y; }

inline DoubleDouble operator*(const DoubleDouble& x, const DoubleDouble& y) {
  const double product = x.high * y.high;
  return ordered_sum(product, std::fma(x.high, y.high, -product) + (x.high * y.low + x.low * y.high));
}

inline DoubleDouble operator/(const DoubleDouble& x, const DoubleDouble& y) {
  const double quotient = x.high / y.high;
  const DoubleDouble rest = x - y * quotient;
  return ordered_sum(quotient, rest.high / y.high);
}

inline DoubleDouble& operator+=(DoubleDouble& x, const DoubleDouble& y) { return x = x + y; }
inline DoubleDouble& operator*=(DoubleDouble& x, const DoubleDouble& y) { return x = x * y; }

/// x · 2ⁿ.
inline DoubleDouble scaled(const DoubleDouble& x, int n) { return {std::ldexp(x.high, n), std::ldexp(x.low, n)}; }

/// c[0] + c[1] x + c[2] x² + ..., where the terms from \p few on need no more digits than a double has.
template <std::size_t few, std::size_t n>
DoubleDouble horner(const DoubleDouble& x, const DoubleDouble (&c)[n]) {
  double rest = 0;
  for (std::size_t i = n; i-- > few;) {
    rest = rest * x.high + c[i].high;
  }
  DoubleDouble sum = rest;
  for (std::size_t i = few; i-- > 0;) {
    sum = sum * x + c[i];
  }
  return sum;
}

inline constexpr DoubleDouble pi_of_both = {0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53};

DoubleDouble log(const DoubleDouble& x);  ///< of a finite x > 0
DoubleDouble sin_of_pi(double x);         ///< sin(π x) of 0 ≤ x ≤ 1/2

}  // namespace xgrad::kernels
