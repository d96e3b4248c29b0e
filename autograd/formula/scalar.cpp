#include "autograd/formula/scalar.hpp"

#include "autograd/formula/builder.hpp"

namespace xgrad {

using detail::FormulaBuilder;
using kernels::Opcode;

namespace {

Scalar emit(Opcode code, Scalar a, Scalar b = 0, Scalar c = 0) {
  if (FormulaBuilder* builder = FormulaBuilder::of(a, b, c)) {
    return builder->emit(code, a, b, c);
  }
  FormulaBuilder constants_only;  // folds; nothing is recorded
  return constants_only.emit(code, a, b, c);
}

}  // namespace

Scalar operator-(Scalar a) { return emit(Opcode::negative, a); }
Scalar operator+(Scalar a, Scalar b) { return emit(Opcode::add, a, b); }
Scalar operator-(Scalar a, Scalar b) { return emit(Opcode::subtract, a, b); }
Scalar operator*(Scalar a, Scalar b) { return emit(Opcode::multiply, a, b); }
Scalar operator/(Scalar a, Scalar b) { return emit(Opcode::divide, a, b); }
Scalar operator<(Scalar a, Scalar b) { return emit(Opcode::less, a, b); }
Scalar operator<=(Scalar a, Scalar b) { return emit(Opcode::less_equal, a, b); }
Scalar operator>(Scalar a, Scalar b) { return emit(Opcode::less, b, a); }
Scalar operator>=(Scalar a, Scalar b) { return emit(Opcode::less_equal, b, a); }
Scalar operator==(Scalar a, Scalar b) { return emit(Opcode::equal, a, b); }
Scalar operator!=(Scalar a, Scalar b) { return emit(Opcode::not_equal, a, b); }
Scalar negative(Scalar a) { return emit(Opcode::negative, a); }
Scalar abs(Scalar a) { return emit(Opcode::abs, a); }
Scalar sign(Scalar a) { return emit(Opcode::sign, a); }
Scalar exp(Scalar a) { return emit(Opcode::exp, a); }
Scalar exp2(Scalar a) { return emit(Opcode::exp2, a); }
Scalar expm1(Scalar a) { return emit(Opcode::expm1, a); }
Scalar log(Scalar a) { return emit(Opcode::log, a); }
Scalar log1p(Scalar a) { return emit(Opcode::log1p, a); }
Scalar log2(Scalar a) { return emit(Opcode::log2, a); }
Scalar log10(Scalar a) { return emit(Opcode::log10, a); }
Scalar sqrt(Scalar a) { return emit(Opcode::sqrt, a); }
Scalar rsqrt(Scalar a) { return 1 / sqrt(a); }
Scalar square(Scalar a) { return a * a; }
Scalar cbrt(Scalar a) { return emit(Opcode::cbrt, a); }
Scalar reciprocal(Scalar a) { return 1 / a; }
Scalar sin(Scalar a) { return emit(Opcode::sin, a); }
Scalar cos(Scalar a) { return emit(Opcode::cos, a); }
Scalar tan(Scalar a) { return emit(Opcode::tan, a); }
Scalar asin(Scalar a) { return emit(Opcode::asin, a); }
Scalar acos(Scalar a) { return emit(Opcode::acos, a); }
Scalar atan(Scalar a) { return emit(Opcode::atan, a); }
Scalar sinh(Scalar a) { return emit(Opcode::sinh, a); }
Scalar cosh(Scalar a) { return emit(Opcode::cosh, a); }
Scalar tanh(Scalar a) { return emit(Opcode::tanh, a); }
Scalar asinh(Scalar a) { return emit(Opcode::asinh, a); }
Scalar acosh(Scalar a) { return emit(Opcode::acosh, a); }
Scalar atanh(Scalar a) { return emit(Opcode::atanh, a); }
Scalar erf(Scalar a) { return emit(Opcode::erf, a); }
Scalar erfc(Scalar a) { return emit(Opcode::erfc, a); }
Scalar sigmoid(Scalar a) { return emit(Opcode::sigmoid, a); }
Scalar relu(Scalar a) { return emit(Opcode::relu, a); }
Scalar floor(Scalar a) { return emit(Opcode::floor, a); }
Scalar ceil(Scalar a) { return emit(Opcode::ceil, a); }
Scalar round(Scalar a) { return emit(Opcode::round, a); }
Scalar trunc(Scalar a) { return emit(Opcode::trunc, a); }
Scalar pow(Scalar a, Scalar b) { return emit(Opcode::pow, a, b); }
Scalar maximum(Scalar a, Scalar b) { return emit(Opcode::maximum, a, b); }
Scalar minimum(Scalar a, Scalar b) { return emit(Opcode::minimum, a, b); }
Scalar atan2(Scalar a, Scalar b) { return emit(Opcode::atan2, a, b); }
Scalar hypot(Scalar a, Scalar b) { return emit(Opcode::hypot, a, b); }
Scalar remainder(Scalar a, Scalar b) { return emit(Opcode::remainder, a, b); }
Scalar fmod(Scalar a, Scalar b) { return emit(Opcode::fmod, a, b); }
// (a - remainder) / b is a whole number, up to rounding; by 0 there is no remainder.
Scalar floor_divide(Scalar a, Scalar b) { return where(b == 0, floor(a / b), round((a - remainder(a, b)) / b)); }
Scalar logical_and(Scalar a, Scalar b) { return emit(Opcode::logical_and, a, b); }
Scalar logical_or(Scalar a, Scalar b) { return emit(Opcode::logical_or, a, b); }
Scalar logical_not(Scalar a) { return emit(Opcode::logical_not, a); }
Scalar where(Scalar condition, Scalar a, Scalar b) { return emit(Opcode::where, condition, a, b); }

}  // namespace xgrad
