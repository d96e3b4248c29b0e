#include "autograd/formula/primitives.hpp"

#include <cmath>
#include <numbers>

#include "autograd/kernels/elementary.hpp"

namespace xgrad {

using detail::Primitive;
using detail::PrimitiveKind;
using kernels::Opcode;

namespace {

Scalar one(Scalar, Scalar, Scalar) { return 1; }
/// What map computes: no C library's function, which differ in their last bits.
template <Opcode code>
double computed(double a, double b) {
  return kernels::elementary(code, a, b);
}

double truth(bool value) { return value ? 1.0 : 0.0; }

double python_remainder(double a, double b) {
  const double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

// Minus the whole number q of y = a - q b. It is found from y: a / b may be rounded to the next whole number.
Scalar quotient_taken(Scalar a, Scalar b, Scalar y) { return -round((a - y) / b); }

// 1 / √(1 + s a²) for s = ±1, where a² may be too large for a number: then the 1 does not count.
Scalar inverse_root(Scalar a, Scalar root) { return where(abs(a) < 1e10, 1 / root, 1 / abs(a)); }

// Which of two equal operands is the largest? Both: each gets half of the derivative, as in PyTorch. Of NaN and a number
// neither is the smaller one, and both get all of it.
Scalar first_wins(Scalar a, Scalar b) { return where(a < b, 0, where(a == b, 0.5, 1)); }

}  // namespace

// y = code(a, b): opcode, name, operator and its precedence, operands, kind, cost, y, dy/da, dy/db.
// clang-format off
constexpr std::array<Primitive, kernels::primitive_count> detail::primitives = [] {
  constexpr auto arithmetic = PrimitiveKind::arithmetic;
  constexpr auto floating = PrimitiveKind::floating;
  constexpr auto comparison = PrimitiveKind::comparison;
  constexpr auto logical = PrimitiveKind::logical;
  constexpr auto selection = PrimitiveKind::selection;
  constexpr int call = detail::tightest;

  using D = double;
  using S = Scalar;
  return std::array<Primitive, kernels::primitive_count>{{
    {Opcode::negative, "negative", "-", 7, 1, arithmetic, 1, [](D a, D) { return -a; }, [](S, S, S) -> S { return -1; }, nullptr},
    {Opcode::abs, "abs", "", call, 1, arithmetic, 1, [](D a, D) { return std::fabs(a); }, [](S a, S, S) { return sign(a); }, nullptr},
    {Opcode::sign, "sign", "", call, 1, arithmetic, 1, [](D a, D) { return a > 0 ? 1.0 : a < 0 ? -1.0 : a; }, nullptr, nullptr},
    {Opcode::exp, "exp", "", call, 1, floating, 4, computed<Opcode::exp>, [](S, S, S y) { return y; }, nullptr},
    {Opcode::exp2, "exp2", "", call, 1, floating, 4, computed<Opcode::exp2>, [](S, S, S y) { return std::numbers::ln2 * y; }, nullptr},
    {Opcode::expm1, "expm1", "", call, 1, floating, 12, computed<Opcode::expm1>, [](S a, S, S) { return exp(a); }, nullptr},
    {Opcode::log, "log", "", call, 1, floating, 4, computed<Opcode::log>, [](S a, S, S) { return 1 / a; }, nullptr},
    {Opcode::log2, "log2", "", call, 1, floating, 4, computed<Opcode::log2>, [](S a, S, S) { return std::numbers::log2e / a; }, nullptr},
    {Opcode::log10, "log10", "", call, 1, floating, 4, computed<Opcode::log10>, [](S a, S, S) { return std::numbers::log10e / a; }, nullptr},
    {Opcode::log1p, "log1p", "", call, 1, floating, 12, computed<Opcode::log1p>, [](S a, S, S) { return 1 / (1 + a); }, nullptr},
    {Opcode::sqrt, "sqrt", "", call, 1, floating, 4, [](D a, D) { return std::sqrt(a); }, [](S, S, S y) { return 0.5 / y; }, nullptr},
    {Opcode::cbrt, "cbrt", "", call, 1, floating, 12, computed<Opcode::cbrt>, [](S, S, S y) { return 1 / (3 * y * y); }, nullptr},
    {Opcode::sin, "sin", "", call, 1, floating, 12, computed<Opcode::sin>, [](S a, S, S) { return cos(a); }, nullptr},
    {Opcode::cos, "cos", "", call, 1, floating, 12, computed<Opcode::cos>, [](S a, S, S) { return -sin(a); }, nullptr},
    {Opcode::tan, "tan", "", call, 1, floating, 12, computed<Opcode::tan>, [](S, S, S y) { return 1 + y * y; }, nullptr},
    {Opcode::asin, "asin", "", call, 1, floating, 12, computed<Opcode::asin>, [](S a, S, S) { return 1 / sqrt((1 - a) * (1 + a)); }, nullptr},
    {Opcode::acos, "acos", "", call, 1, floating, 12, computed<Opcode::acos>, [](S a, S, S) { return -1 / sqrt((1 - a) * (1 + a)); }, nullptr},
    {Opcode::atan, "atan", "", call, 1, floating, 12, computed<Opcode::atan>, [](S a, S, S) { return 1 / (1 + a * a); }, nullptr},
    {Opcode::sinh, "sinh", "", call, 1, floating, 12, computed<Opcode::sinh>, [](S a, S, S) { return cosh(a); }, nullptr},
    {Opcode::cosh, "cosh", "", call, 1, floating, 12, computed<Opcode::cosh>, [](S a, S, S) { return sinh(a); }, nullptr},
    {Opcode::tanh, "tanh", "", call, 1, floating, 12, computed<Opcode::tanh>, [](S, S, S y) { return 1 - y * y; }, nullptr},
    {Opcode::asinh, "asinh", "", call, 1, floating, 12, computed<Opcode::asinh>, [](S a, S, S) { return inverse_root(a, sqrt(1 + a * a)); }, nullptr},
    {Opcode::acosh, "acosh", "", call, 1, floating, 12, computed<Opcode::acosh>, [](S a, S, S) { return inverse_root(a, sqrt((a - 1) * (a + 1))); }, nullptr},
    {Opcode::atanh, "atanh", "", call, 1, floating, 12, computed<Opcode::atanh>, [](S a, S, S) { return 1 / ((1 - a) * (1 + a)); }, nullptr},
    {Opcode::erf, "erf", "", call, 1, floating, 12, computed<Opcode::erf>,
     [](S a, S, S) { return 2 * std::numbers::inv_sqrtpi * exp(-(a * a)); }, nullptr},
    {Opcode::erfc, "erfc", "", call, 1, floating, 12, computed<Opcode::erfc>,
     [](S a, S, S) { return -2 * std::numbers::inv_sqrtpi * exp(-(a * a)); }, nullptr},
    {Opcode::sigmoid, "sigmoid", "", call, 1, floating, 4, computed<Opcode::sigmoid>, [](S, S, S y) { return y * (1 - y); }, nullptr},
    {Opcode::relu, "relu", "", call, 1, arithmetic, 1, [](D a, D) { return a <= 0 ? 0.0 : a; }, [](S, S, S y) { return where(y <= 0, 0, 1); }, nullptr},
    {Opcode::floor, "floor", "", call, 1, arithmetic, 1, [](D a, D) { return std::floor(a); }, nullptr, nullptr},
    {Opcode::ceil, "ceil", "", call, 1, arithmetic, 1, [](D a, D) { return std::ceil(a); }, nullptr, nullptr},
    {Opcode::round, "round", "", call, 1, arithmetic, 1, [](D a, D) { return std::nearbyint(a); }, nullptr, nullptr},
    {Opcode::trunc, "trunc", "", call, 1, arithmetic, 1, [](D a, D) { return std::trunc(a); }, nullptr, nullptr},
    {Opcode::logical_not, "logical_not", "", call, 1, logical, 1, [](D a, D) { return truth(a == 0); }, nullptr, nullptr},
    {Opcode::add, "add", "+", 4, 2, arithmetic, 1, [](D a, D b) { return a + b; }, one, one},
    {Opcode::subtract, "subtract", "-", 4, 2, arithmetic, 1, [](D a, D b) { return a - b; }, one, [](S, S, S) -> S { return -1; }},
    {Opcode::multiply, "multiply", "*", 5, 2, arithmetic, 1, [](D a, D b) { return a * b; }, [](S, S b, S) { return b; }, [](S a, S, S) { return a; }},
    {Opcode::divide, "divide", "/", 5, 2, arithmetic, 4, [](D a, D b) { return a / b; }, [](S, S b, S) { return 1 / b; }, [](S a, S b, S) { return -(a / b) / b; }},
    {Opcode::remainder, "remainder", "", call, 2, arithmetic, 64, python_remainder, one, quotient_taken},
    {Opcode::fmod, "fmod", "", call, 2, arithmetic, 64, [](D a, D b) { return std::fmod(a, b); }, one, quotient_taken},
    {Opcode::pow, "pow", "", call, 2, floating, 64, computed<Opcode::pow>,
     [](S a, S b, S) { return where(b == 0, 0, b * pow(a, b - 1)); },
     [](S a, S b, S y) { return where(logical_and(a == 0, b >= 0), 0, y * log(a)); }},
    {Opcode::maximum, "maximum", "", call, 2, arithmetic, 1, [](D a, D b) { return std::isnan(a) || a > b ? a : b; },
     [](S a, S b, S) { return first_wins(a, b); }, [](S a, S b, S) { return first_wins(b, a); }},
    {Opcode::minimum, "minimum", "", call, 2, arithmetic, 1, [](D a, D b) { return std::isnan(a) || a < b ? a : b; },
     [](S a, S b, S) { return first_wins(b, a); }, [](S a, S b, S) { return first_wins(a, b); }},
    {Opcode::atan2, "atan2", "", call, 2, floating, 64, computed<Opcode::atan2>,
     [](S a, S b, S) { return b / hypot(a, b) / hypot(a, b); }, [](S a, S b, S) { return -a / hypot(a, b) / hypot(a, b); }},
    {Opcode::hypot, "hypot", "", call, 2, floating, 64, computed<Opcode::hypot>,
     [](S a, S, S y) { return a / y; }, [](S, S b, S y) { return b / y; }},
    {Opcode::less, "less", "<", 3, 2, comparison, 1, [](D a, D b) { return truth(a < b); }, nullptr, nullptr},
    {Opcode::less_equal, "less_equal", "<=", 3, 2, comparison, 1, [](D a, D b) { return truth(a <= b); }, nullptr, nullptr},
    {Opcode::equal, "equal", "==", 2, 2, comparison, 1, [](D a, D b) { return truth(a == b); }, nullptr, nullptr},
    {Opcode::not_equal, "not_equal", "!=", 2, 2, comparison, 1, [](D a, D b) { return truth(a != b); }, nullptr, nullptr},
    {Opcode::logical_and, "logical_and", "", call, 2, logical, 1, [](D a, D b) { return truth(a != 0 && b != 0); }, nullptr, nullptr},
    {Opcode::logical_or, "logical_or", "", call, 2, logical, 1, [](D a, D b) { return truth(a != 0 || b != 0); }, nullptr, nullptr},
    {Opcode::where, "where", "", call, 3, selection, 1, nullptr, nullptr, nullptr},
  }};
}();
// clang-format on

namespace {

constexpr bool rows_are_in_the_order_of_the_opcodes() {
  for (int i = 0; i < kernels::primitive_count; ++i) {
    const Primitive& row = detail::primitives[static_cast<std::size_t>(i)];
    if (static_cast<int>(row.code) != i || row.name.empty()) {
      return false;
    }
  }
  return true;
}
static_assert(rows_are_in_the_order_of_the_opcodes(), "one row for each primitive of kernels/opcode.hpp, in its order");

}  // namespace

}  // namespace xgrad
