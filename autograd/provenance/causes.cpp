#include "autograd/provenance/causes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::provenance {

namespace {

using kernels::Opcode;

constexpr std::string_view too_large =
    "the numbers have grown beyond the largest one that there is: lower the learning rate, clip the gradients, or "
    "scale "
    "what goes in";

bool is_any(Opcode code, std::initializer_list<Opcode> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

std::string division_cause(double dividend, bool in_derivative) {
  if (in_derivative) {
    return "the derivative is infinite or undefined at this point: keep away from it, as sqrt(x + 1e-12) does, or "
           "choose "
           "another operand by where() before the function, not behind it";
  }
  return dividend == 0 ? "0 / 0: what is divided by counts nothing here, as for a mean over an empty mask; divide by "
                         "maximum(count, 1)"
                       : "division by 0: add a small number to the divisor, or use maximum(divisor, 1e-6)";
}

std::string power_cause(double base, double exponent, bool in_derivative) {
  if (base < 0 && exponent != std::trunc(exponent)) {
    return phrase(
        "a negative number has no real power of {:.6g}: use pow(abs(x), p), or keep the base from falling below 0",
        exponent);
  }
  return base == 0 ? division_cause(1, in_derivative) : std::string(too_large);
}

// Where a function is not defined, or has no limit.
struct DomainRow {
  Opcode code;
  bool (*is_outside)(double x);
  std::string_view cause;
};

constexpr std::string_view not_above_zero =
    "the logarithm of 0 is infinite, and rounding makes 0 of small numbers: keep the operand away from 0, as "
    "log(maximum(x, 1e-12)) does, or use log_softmax, logsumexp or a loss that takes logits";
constexpr std::string_view below_zero = "the logarithm of a negative number is NaN: keep the operand above 0";

constexpr std::array<DomainRow, 14> domain_rows{{
    {Opcode::log, [](double x) { return x == 0; }, not_above_zero},
    {Opcode::log2, [](double x) { return x == 0; }, not_above_zero},
    {Opcode::log10, [](double x) { return x == 0; }, not_above_zero},
    {Opcode::log, [](double x) { return x < 0; }, below_zero},
    {Opcode::log2, [](double x) { return x < 0; }, below_zero},
    {Opcode::log10, [](double x) { return x < 0; }, below_zero},
    {Opcode::log1p, [](double x) { return x <= -1; }, "log1p takes numbers above -1"},
    {Opcode::sqrt, [](double x) { return x < 0; },
     "the square root of a negative number is NaN; rounding may have made it so: use sqrt(relu(x))"},
    {Opcode::asin, [](double x) { return std::fabs(x) > 1; },
     "it takes numbers from -1 to 1, and rounding may have gone beyond: use clip(x, -1, 1)"},
    {Opcode::acos, [](double x) { return std::fabs(x) > 1; },
     "it takes numbers from -1 to 1, and rounding may have gone beyond: use clip(x, -1, 1)"},
    {Opcode::acosh, [](double x) { return x < 1; }, "it takes numbers from 1 on: use maximum(x, 1)"},
    {Opcode::atanh, [](double x) { return std::fabs(x) >= 1; },
     "it takes numbers between -1 and 1, without them: use clip(x, -0.999999, 0.999999)"},
    {Opcode::exp, [](double x) { return x > 0; },
     "exp overflows: subtract the largest operand first, as softmax, log_softmax and logsumexp do"},
    {Opcode::exp2, [](double x) { return x > 0; },
     "exp2 overflows: subtract the largest operand first, as softmax and logsumexp do"},
}};

// ln of the largest number.
double largest_exponent(DType dtype) {
  return dispatch_floating(
      dtype, [](auto zero) { return std::log(static_cast<double>(std::numeric_limits<decltype(zero)>::max())); });
}

}  // namespace

std::string cause_of(const Primitive& primitive, DType dtype, bool in_derivative) {
  const double a = primitive.operands.empty() ? 0 : primitive.operands[0];
  const double b = primitive.operands.size() < 2 ? 0 : primitive.operands[1];
  if (std::isinf(a) || std::isinf(b)) {
    return "infinite numbers met here; look at where they come from";
  }
  if (primitive.code == Opcode::divide && b == 0) {
    return division_cause(a, in_derivative);
  }
  if (is_any(primitive.code, {Opcode::remainder, Opcode::fmod}) && b == 0) {
    return "the remainder of a division by 0 is NaN: keep the divisor away from 0";
  }
  if (primitive.code == Opcode::pow) {
    return power_cause(a, b, in_derivative);
  }
  for (const DomainRow& row : domain_rows) {
    if (row.code == primitive.code && row.is_outside(a)) {
      const bool exponential = primitive.code == Opcode::exp;
      return exponential
                 ? phrase("{}; {} holds exp of at most {:.5g}", row.cause, to_string(dtype), largest_exponent(dtype))
                 : std::string(row.cause);
    }
  }
  return std::string(too_large);
}

std::string cause_of(const Node& node, double gives, double largest) {
  constexpr double large = 1e15;  // products and sums of smaller numbers do not overflow
  return std::isinf(gives) && largest > large
             ? std::string(too_large)
             : phrase("[{}] has no finite result for these numbers; look at what its documentation says of them",
                      node.name());
}

}  // namespace xgrad::provenance
