#include <array>
#include <cmath>
#include <numbers>

#include "autograd/formula/builder.hpp"

namespace xgrad {

using detail::FormulaBuilder;
using detail::Primitive;
using detail::PrimitiveKind;
using kernels::Opcode;

namespace {

Scalar one(Scalar, Scalar, Scalar) { return 1; }
double truth(bool value) { return value ? 1.0 : 0.0; }

double python_remainder(double a, double b) {
  const double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

// Which of two equal operands is the largest? Both: each gets half of the derivative, as in PyTorch. Of NaN and a number
// neither is the smaller one, and both get all of it.
Scalar first_wins(Scalar a, Scalar b) { return where(a < b, 0, where(a == b, 0.5, 1)); }

constexpr auto arithmetic = PrimitiveKind::arithmetic;
constexpr auto floating = PrimitiveKind::floating;
constexpr auto comparison = PrimitiveKind::comparison;
constexpr auto logical = PrimitiveKind::logical;

using D = double;
using S = Scalar;

// One row per primitive: y = code(a, b), dy/da, dy/db.
// clang-format off
const std::array<Primitive, kernels::primitive_count> primitives{{
    {Opcode::negative, "negative", 1, arithmetic, [](D a, D) { return -a; }, [](S, S, S) -> S { return -1; }, nullptr},
    {Opcode::abs, "abs", 1, arithmetic, [](D a, D) { return std::fabs(a); }, [](S a, S, S) { return sign(a); }, nullptr},
    {Opcode::sign, "sign", 1, arithmetic, [](D a, D) { return a > 0 ? 1.0 : a < 0 ? -1.0 : a; }, nullptr, nullptr},
    {Opcode::exp, "exp", 1, floating, [](D a, D) { return std::exp(a); }, [](S, S, S y) { return y; }, nullptr},
    {Opcode::expm1, "expm1", 1, floating, [](D a, D) { return std::expm1(a); }, [](S a, S, S) { return exp(a); }, nullptr},
    {Opcode::log, "log", 1, floating, [](D a, D) { return std::log(a); }, [](S a, S, S) { return 1 / a; }, nullptr},
    {Opcode::log1p, "log1p", 1, floating, [](D a, D) { return std::log1p(a); }, [](S a, S, S) { return 1 / (1 + a); }, nullptr},
    {Opcode::sqrt, "sqrt", 1, floating, [](D a, D) { return std::sqrt(a); }, [](S, S, S y) { return 0.5 / y; }, nullptr},
    {Opcode::cbrt, "cbrt", 1, floating, [](D a, D) { return std::cbrt(a); }, [](S, S, S y) { return 1 / (3 * y * y); }, nullptr},
    {Opcode::sin, "sin", 1, floating, [](D a, D) { return std::sin(a); }, [](S a, S, S) { return cos(a); }, nullptr},
    {Opcode::cos, "cos", 1, floating, [](D a, D) { return std::cos(a); }, [](S a, S, S) { return -sin(a); }, nullptr},
    {Opcode::tan, "tan", 1, floating, [](D a, D) { return std::tan(a); }, [](S, S, S y) { return 1 + y * y; }, nullptr},
    {Opcode::asin, "asin", 1, floating, [](D a, D) { return std::asin(a); }, [](S a, S, S) { return 1 / sqrt((1 - a) * (1 + a)); }, nullptr},
    {Opcode::acos, "acos", 1, floating, [](D a, D) { return std::acos(a); }, [](S a, S, S) { return -1 / sqrt((1 - a) * (1 + a)); }, nullptr},
    {Opcode::atan, "atan", 1, floating, [](D a, D) { return std::atan(a); }, [](S a, S, S) { return 1 / (1 + a * a); }, nullptr},
    {Opcode::sinh, "sinh", 1, floating, [](D a, D) { return std::sinh(a); }, [](S a, S, S) { return cosh(a); }, nullptr},
    {Opcode::cosh, "cosh", 1, floating, [](D a, D) { return std::cosh(a); }, [](S a, S, S) { return sinh(a); }, nullptr},
    {Opcode::tanh, "tanh", 1, floating, [](D a, D) { return std::tanh(a); }, [](S, S, S y) { return 1 - y * y; }, nullptr},
    {Opcode::asinh, "asinh", 1, floating, [](D a, D) { return std::asinh(a); }, [](S a, S, S) { return 1 / sqrt(1 + a * a); }, nullptr},
    {Opcode::acosh, "acosh", 1, floating, [](D a, D) { return std::acosh(a); }, [](S a, S, S) { return 1 / sqrt((a - 1) * (a + 1)); }, nullptr},
    {Opcode::atanh, "atanh", 1, floating, [](D a, D) { return std::atanh(a); }, [](S a, S, S) { return 1 / ((1 - a) * (1 + a)); }, nullptr},
    {Opcode::erf, "erf", 1, floating, [](D a, D) { return std::erf(a); },
     [](S a, S, S) { return 2 * std::numbers::inv_sqrtpi * exp(-(a * a)); }, nullptr},
    {Opcode::sigmoid, "sigmoid", 1, floating, [](D a, D) { return 1 / (1 + std::exp(-a)); }, [](S, S, S y) { return y * (1 - y); }, nullptr},
    {Opcode::relu, "relu", 1, arithmetic, [](D a, D) { return a < 0 ? 0.0 : a; }, [](S, S, S y) { return where(y <= 0, 0, 1); }, nullptr},
    {Opcode::floor, "floor", 1, arithmetic, [](D a, D) { return std::floor(a); }, nullptr, nullptr},
    {Opcode::ceil, "ceil", 1, arithmetic, [](D a, D) { return std::ceil(a); }, nullptr, nullptr},
    {Opcode::round, "round", 1, arithmetic, [](D a, D) { return std::nearbyint(a); }, nullptr, nullptr},
    {Opcode::trunc, "trunc", 1, arithmetic, [](D a, D) { return std::trunc(a); }, nullptr, nullptr},
    {Opcode::logical_not, "logical_not", 1, logical, [](D a, D) { return truth(a == 0); }, nullptr, nullptr},
    {Opcode::add, "add", 2, arithmetic, [](D a, D b) { return a + b; }, one, one},
    {Opcode::subtract, "subtract", 2, arithmetic, [](D a, D b) { return a - b; }, one, [](S, S, S) -> S { return -1; }},
    {Opcode::multiply, "multiply", 2, arithmetic, [](D a, D b) { return a * b; }, [](S, S b, S) { return b; }, [](S a, S, S) { return a; }},
    {Opcode::divide, "divide", 2, arithmetic, [](D a, D b) { return a / b; }, [](S, S b, S) { return 1 / b; }, [](S a, S b, S) { return -(a / b) / b; }},
    {Opcode::remainder, "remainder", 2, arithmetic, python_remainder, one, [](S a, S b, S) { return -floor(a / b); }},
    {Opcode::pow, "pow", 2, floating, [](D a, D b) { return std::pow(a, b); },
     [](S a, S b, S) { return where(b == 0, 0, b * pow(a, b - 1)); },
     [](S a, S b, S y) { return where(logical_and(a == 0, b >= 0), 0, y * log(a)); }},
    {Opcode::maximum, "maximum", 2, arithmetic, [](D a, D b) { return std::isnan(a) || a > b ? a : b; },
     [](S a, S b, S) { return first_wins(a, b); }, [](S a, S b, S) { return first_wins(b, a); }},
    {Opcode::minimum, "minimum", 2, arithmetic, [](D a, D b) { return std::isnan(a) || a < b ? a : b; },
     [](S a, S b, S) { return first_wins(b, a); }, [](S a, S b, S) { return first_wins(a, b); }},
    {Opcode::atan2, "atan2", 2, floating, [](D a, D b) { return std::atan2(a, b); },
     [](S a, S b, S) { return b / (a * a + b * b); }, [](S a, S b, S) { return -a / (a * a + b * b); }},
    {Opcode::hypot, "hypot", 2, floating, [](D a, D b) { return std::hypot(a, b); },
     [](S a, S, S y) { return a / y; }, [](S, S b, S y) { return b / y; }},
    {Opcode::less, "less", 2, comparison, [](D a, D b) { return truth(a < b); }, nullptr, nullptr},
    {Opcode::less_equal, "less_equal", 2, comparison, [](D a, D b) { return truth(a <= b); }, nullptr, nullptr},
    {Opcode::equal, "equal", 2, comparison, [](D a, D b) { return truth(a == b); }, nullptr, nullptr},
    {Opcode::not_equal, "not_equal", 2, comparison, [](D a, D b) { return truth(a != b); }, nullptr, nullptr},
    {Opcode::logical_and, "logical_and", 2, logical, [](D a, D b) { return truth(a != 0 && b != 0); }, nullptr, nullptr},
    {Opcode::logical_or, "logical_or", 2, logical, [](D a, D b) { return truth(a != 0 || b != 0); }, nullptr, nullptr},
    {Opcode::where, "where", 3, PrimitiveKind::selection, nullptr, nullptr, nullptr},
}};
// clang-format on

Scalar emit(Opcode code, Scalar a, Scalar b = 0, Scalar c = 0) {
  if (FormulaBuilder* builder = FormulaBuilder::of(a, b, c)) {
    return builder->emit(code, a, b, c);
  }
  FormulaBuilder constants_only;  // folds; nothing is recorded
  return constants_only.emit(code, a, b, c);
}

}  // namespace

const Primitive& detail::primitive(Opcode code) { return primitives[static_cast<std::size_t>(code)]; }

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
Scalar expm1(Scalar a) { return emit(Opcode::expm1, a); }
Scalar log(Scalar a) { return emit(Opcode::log, a); }
Scalar log1p(Scalar a) { return emit(Opcode::log1p, a); }
Scalar log2(Scalar a) { return log(a) * std::numbers::log2e; }
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
Scalar logical_and(Scalar a, Scalar b) { return emit(Opcode::logical_and, a, b); }
Scalar logical_or(Scalar a, Scalar b) { return emit(Opcode::logical_or, a, b); }
Scalar logical_not(Scalar a) { return emit(Opcode::logical_not, a); }
Scalar where(Scalar condition, Scalar a, Scalar b) { return emit(Opcode::where, condition, a, b); }

}  // namespace xgrad
