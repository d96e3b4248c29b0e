#pragma once

#include <cstdint>

/// \file
/// The numbers that formulas are written on.

namespace xgrad {

namespace detail {
class FormulaBuilder;
}

/// A number inside a formula: an input, a constant, or the result of a primitive on other Scalars.
class Scalar {
 public:
  /// A constant: C++ numbers can stand beside Scalars.
  Scalar(double constant) : constant_(constant) {}

 private:
  friend class detail::FormulaBuilder;
  Scalar(std::uint64_t formula, std::uint32_t id) : formula_(formula), id_(id) {}

  std::uint64_t formula_ = 0;  // which one it is part of; 0 for a constant
  std::uint32_t id_ = 0;
  double constant_ = 0;
};

/// \name Primitives on Scalars
/// \{

/// What the tensor op of the same name computes, on one element. Comparisons give truth values, for `where` and the
/// logical primitives.
Scalar operator-(Scalar a);
Scalar operator+(Scalar a, Scalar b);
Scalar operator-(Scalar a, Scalar b);
Scalar operator*(Scalar a, Scalar b);
Scalar operator/(Scalar a, Scalar b);
Scalar operator<(Scalar a, Scalar b);
Scalar operator<=(Scalar a, Scalar b);
Scalar operator>(Scalar a, Scalar b);
Scalar operator>=(Scalar a, Scalar b);
Scalar operator==(Scalar a, Scalar b);
Scalar operator!=(Scalar a, Scalar b);
Scalar negative(Scalar a);
Scalar abs(Scalar a);
Scalar sign(Scalar a);
Scalar exp(Scalar a);
Scalar exp2(Scalar a);
Scalar expm1(Scalar a);
Scalar log(Scalar a);
Scalar log1p(Scalar a);
Scalar log2(Scalar a);
Scalar log10(Scalar a);
Scalar sqrt(Scalar a);
Scalar rsqrt(Scalar a);
Scalar square(Scalar a);
Scalar cbrt(Scalar a);
Scalar reciprocal(Scalar a);
Scalar sin(Scalar a);
Scalar cos(Scalar a);
Scalar tan(Scalar a);
Scalar asin(Scalar a);
Scalar acos(Scalar a);
Scalar atan(Scalar a);
Scalar sinh(Scalar a);
Scalar cosh(Scalar a);
Scalar tanh(Scalar a);
Scalar asinh(Scalar a);
Scalar acosh(Scalar a);
Scalar atanh(Scalar a);
Scalar erf(Scalar a);
Scalar erfc(Scalar a);
Scalar sigmoid(Scalar a);
Scalar relu(Scalar a);
Scalar softplus(Scalar a);
Scalar floor(Scalar a);
Scalar ceil(Scalar a);
Scalar round(Scalar a);
Scalar trunc(Scalar a);
Scalar pow(Scalar a, Scalar b);
Scalar maximum(Scalar a, Scalar b);
Scalar minimum(Scalar a, Scalar b);
Scalar atan2(Scalar a, Scalar b);
Scalar hypot(Scalar a, Scalar b);
Scalar remainder(Scalar a, Scalar b);
Scalar fmod(Scalar a, Scalar b);
Scalar floor_divide(Scalar a, Scalar b);
Scalar logical_and(Scalar a, Scalar b);
Scalar logical_or(Scalar a, Scalar b);
Scalar logical_not(Scalar a);
/// \p a where \p condition holds, else \p b; the branch not taken contributes exactly 0 to derivatives.
Scalar where(Scalar condition, Scalar a, Scalar b);
/// \}

}  // namespace xgrad
