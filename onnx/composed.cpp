#include "onnx/composed.hpp"

#include <limits>
#include <numbers>

namespace xgrad::onnx::composed {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::string where(const Elementwise& write, const std::string& condition, const std::string& a, const std::string& b) {
  return write("Where", {condition, a, b});
}

/// Whether a number is below zero, or -0: 1 / -0 is -inf.
std::string is_negative(const Elementwise& write, const std::string& x) {
  const std::string inverse = write("Div", {write.number(1), x});
  return write("Or", {write("Less", {x, write.number(0)}), write("Less", {inverse, write.number(0)})});
}

/// An operator on floating numbers that changes no integer.
std::string rounded(const Elementwise& write, const Operands& x, std::string_view op_type) {
  return is_floating(write.dtype()) ? write(op_type, x) : x[0];
}

std::string modulo(const Elementwise& write, const Operands& ab, std::int64_t as_in_c) {
  return write.graph().add("Mod", ab, {{"fmod", as_in_c}});
}

/// The larger or smaller one; NaN if either is.
std::string extreme(const Elementwise& write, const Operands& ab, std::string_view op_type) {
  if (!is_floating(write.dtype())) {
    return write(op_type, ab);
  }
  const std::string sum = write("Add", ab);
  const std::string is_nan = write("Or", {write("IsNaN", {ab[0]}), write("IsNaN", {ab[1]})});
  return where(write, is_nan, sum, write(op_type, ab));
}

/// Horner's rule, the highest power first.
std::string polynomial(const Elementwise& write, const std::string& x, const std::vector<double>& coefficients) {
  std::string value = write.number(coefficients[0]);
  for (std::size_t i = 1; i < coefficients.size(); ++i) {
    value = write("Add", {write("Mul", {value, x}), write.number(coefficients[i])});
  }
  return value;
}

/// erfc(x) e^(x²) (1 + 2x) for x ≥ 1/2, as a polynomial in (x - 2) / (x + 2), to 7e-9 and to 6e-17: fitted at Chebyshev's
/// points in 60 digits.
const std::vector<double>& erfc_coefficients(DType dtype) {
  static const std::vector<double> single = {0.000277381382306941895, -0.000336292550237435809, -0.00152290289818971092,
                                             0.00123355430089839936,  0.00874271161867683783,   -0.00802814503722704061,
                                             -0.0542222160106751948,  0.16405085663394584,      -0.166030337904499457,
                                             -0.0927638176531185695,  1.27697838173486148};
  static const std::vector<double> twice = {
      -3.37544126687722827e-8, -5.77634027328532766e-8,   5.27213926380678251e-7,    -9.22726384931039187e-8,
      -1.43961147300102436e-6, -6.23588317626531791e-7,   1.94140360057605807e-6,    5.06817474387568766e-6,
      3.53226748939439261e-6,  -0.0000134018973927613368, -0.0000363791857782931313, -1.53818299340365454e-6,
      0.000151032397329941589, 0.000206372462808313227,   -0.000454340188253469123,  -0.00145681453230665944,
      0.00127133892893936513,  0.00872265391312418704,    -0.00803401508115300935,   -0.0542200009932537856,
      0.164051280033417563,    -0.166030397615274035,     -0.0927638265857458268,    1.27697838155252869};
  return dtype == DType::float64 ? twice : single;
}

/// e^(-x²), of x in two parts: the square of the first one, of half the digits, is exact (Dekker, 1971).
std::string exp_minus_square(const Elementwise& write, const std::string& x) {
  const std::string scaled = write("Mul", {x, write.number(write.dtype() == DType::float64 ? 0x1p27 + 1 : 0x1p12 + 1)});
  const std::string high = write("Sub", {scaled, write("Sub", {scaled, x})});
  const std::string rest = write("Mul", {write("Sub", {high, x}), write("Add", {high, x})});
  return write("Mul", {write("Exp", {write("Neg", {write("Mul", {high, high})})}), write("Exp", {rest})});
}

}  // namespace

std::string sign(const Elementwise& write, const Operands& x) {
  const std::string sign = write("Sign", x);
  return is_floating(write.dtype()) ? where(write, write("IsNaN", x), x[0], sign) : sign;
}

std::string floor(const Elementwise& write, const Operands& x) { return rounded(write, x, "Floor"); }
std::string ceil(const Elementwise& write, const Operands& x) { return rounded(write, x, "Ceil"); }
std::string round(const Elementwise& write, const Operands& x) { return rounded(write, x, "Round"); }

std::string trunc(const Elementwise& write, const Operands& x) {
  return where(write, write("Less", {x[0], write.number(0)}), ceil(write, x), floor(write, x));
}

// Kahan: the error of u = eˣ cancels in (u - 1) x / log u.
std::string expm1(const Elementwise& write, const Operands& x) {
  const std::string one = write.number(1);
  const std::string u = write("Exp", x);
  const std::string less_one = write("Sub", {u, one});
  const std::string quotient = write("Mul", {less_one, write("Div", {x[0], write("Log", {u})})});
  const std::string large = where(write, write("Equal", {u, write.number(infinity)}), u, quotient);
  const std::string small = where(write, write("Equal", {less_one, write.number(-1)}), less_one, large);
  return where(write, write("Equal", {u, one}), x[0], small);
}

// Kahan: the error of u = 1 + x cancels in log u · x / (u - 1).
std::string log1p(const Elementwise& write, const Operands& x) {
  const std::string one = write.number(1);
  const std::string u = write("Add", {x[0], one});
  const std::string quotient = write("Mul", {write("Log", {u}), write("Div", {x[0], write("Sub", {u, one})})});
  const std::string large = where(write, write("Equal", {u, write.number(infinity)}), u, quotient);
  return where(write, write("Equal", {u, one}), x[0], large);
}

std::string log2(const Elementwise& write, const Operands& x) {
  return write("Mul", {write("Log", x), write.number(std::numbers::log2e)});
}

// |x|^(1/3), then a step of Newton's method for y³ = |x|: y - (y - |x| / y²) / 3.
std::string cbrt(const Elementwise& write, const Operands& x) {
  const std::string size = write("Abs", x);
  const std::string root = write("Pow", {size, write.number(1.0 / 3)});
  const std::string step = write("Sub", {root, write("Div", {size, write("Mul", {root, root})})});
  const std::string better = write("Sub", {root, write("Mul", {step, write.number(1.0 / 3)})});
  const std::string back = where(write, write("Less", {x[0], write.number(0)}), write("Neg", {better}), better);
  const std::string is_own_root =
      write("Or", {write("Equal", {size, write.number(0)}), write("Equal", {size, write.number(infinity)})});
  return where(write, is_own_root, x[0], back);
}

// 1 - erf(x) below 1/2; above, where that would cancel, e^(-x²) times what a polynomial approximates.
std::string erfc(const Elementwise& write, const Operands& x) {
  const std::string one = write.number(1);
  const std::string half = write.number(0.5);
  const std::string two = write.number(2);
  // Beyond 30 the result is 0; within, nothing overflows.
  const std::string thirty = write.number(30);
  const std::string is_tail = write("Less", {half, x[0]});
  const std::string at_least_half = where(write, is_tail, x[0], half);
  const std::string tail = where(write, write("Less", {thirty, at_least_half}), thirty, at_least_half);
  const std::string s = write("Div", {write("Sub", {tail, two}), write("Add", {tail, two})});
  const std::string scaled = write(
      "Div", {polynomial(write, s, erfc_coefficients(write.dtype())), write("Add", {write("Mul", {tail, two}), one})});
  const std::string of_tail = write("Mul", {exp_minus_square(write, tail), scaled});
  return where(write, is_tail, of_tail, write("Sub", {one, write("Erf", x)}));
}

std::string relu(const Elementwise& write, const Operands& x) {
  return is_floating(write.dtype()) ? write("Relu", x) : write("Max", {x[0], write.number(0)});
}

// Of numbers, Mod has the sign of the divisor only where they are integers.
std::string remainder(const Elementwise& write, const Operands& ab) {
  if (!is_floating(write.dtype())) {
    return modulo(write, ab, 0);
  }
  const std::string zero = write.number(0);
  const std::string r = modulo(write, ab, 1);
  const std::string signs_differ = write("Xor", {write("Less", {r, zero}), write("Less", {ab[1], zero})});
  const std::string is_off = write("And", {signs_differ, write("Not", {write("Equal", {r, zero})})});
  return where(write, is_off, write("Add", {r, ab[1]}), r);
}

std::string fmod(const Elementwise& write, const Operands& ab) { return modulo(write, ab, 1); }

// The angle of (|x|, |y|), turned into the quadrant. Where both are equal it is π/4 although they be infinite, and 0 where
// they are 0.
std::string atan2(const Elementwise& write, const Operands& yx) {
  const std::string y = write("Abs", {yx[0]});
  const std::string x = write("Abs", {yx[1]});
  const std::string of_equal = where(write, write("Equal", {y, write.number(0)}), write.number(0), write.number(1));
  const std::string ratio = where(write, write("Equal", {y, x}), of_equal, write("Div", {y, x}));
  const std::string angle = write("Atan", {ratio});
  const std::string left = write("Sub", {write.number(std::numbers::pi), angle});
  const std::string upper = where(write, is_negative(write, yx[1]), left, angle);
  return where(write, is_negative(write, yx[0]), write("Neg", {upper}), upper);
}

// m √(1 + (n / m)²) for the larger one m and the smaller one n, so that no square overflows or vanishes. Beside an infinity,
// NaN does not count.
std::string hypot(const Elementwise& write, const Operands& ab) {
  const std::string a = write("Abs", {ab[0]});
  const std::string b = write("Abs", {ab[1]});
  const std::string a_is_larger = write("Or", {write("Less", {b, a}), write("IsNaN", {a})});
  const std::string large = where(write, a_is_larger, a, b);
  const std::string small = where(write, a_is_larger, b, a);
  const std::string ratio = write("Div", {small, large});
  const std::string root = write("Sqrt", {write("Add", {write("Mul", {ratio, ratio}), write.number(1)})});
  const std::string product = write("Mul", {large, root});
  const std::string finite = where(write, write("Equal", {large, write.number(0)}), large, product);
  const std::string unlimited = write.number(infinity);
  const std::string is_unlimited = write("Or", {write("Equal", {a, unlimited}), write("Equal", {b, unlimited})});
  return where(write, is_unlimited, unlimited, finite);
}

std::string maximum(const Elementwise& write, const Operands& ab) { return extreme(write, ab, "Max"); }
std::string minimum(const Elementwise& write, const Operands& ab) { return extreme(write, ab, "Min"); }

std::string not_equal(const Elementwise& write, const Operands& ab) { return write("Not", {write("Equal", ab)}); }

}  // namespace xgrad::onnx::composed
