#include <array>
#include <cstdint>

#include "autograd/ops/ops.hpp"
#include "onnx/import/arithmetic_type.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Operators on the elements of several tensors, which broadcast.

namespace xgrad::onnx::loading {

namespace {

using Binary = Tensor (*)(const Operand&, const Operand&);

template <Binary function>
Tensor arithmetic(const Tensor& a, const Tensor& b) {
  return with_arithmetic([](const Tensor& x, const Tensor& y) { return function(x, y); }, a, b);
}

template <Binary function>
Tensors binary_arithmetic(const Call& call) {
  return {arithmetic<function>(call[0], call[1])};
}

/// Of operands that are only compared.
template <Binary function>
Tensors binary(const Call& call) {
  return {function(call[0], call[1])};
}

/// From the first to the last input.
template <Binary function>
Tensor joined(const Call& call) {
  Tensor result = call[0];
  for (std::size_t i = 1; i < call.input_count(); ++i) {
    result = arithmetic<function>(result, call[i]);
  }
  return result;
}

template <Binary function>
Tensors variadic(const Call& call) {
  return {joined<function>(call)};
}

Tensors mean_of_inputs(const Call& call) {
  return {joined<xgrad::add>(call) / static_cast<double>(call.input_count())};
}

/// By squaring: the product of base^(2^k) over the bits k that are set in an exponent. More bits than these are too many for
/// any base but 0 and ±1, of which the last bit tells. A negative exponent gives 1 / base^|exponent| without its fraction.
Tensor pow_of_integers(const Tensor& base, const Tensor& exponent) {
  constexpr int bits = 6;
  const Tensor magnitude = xgrad::abs(exponent);
  Tensor square = base;
  Tensor result = ones_like(base);
  Tensor rest = magnitude;
  for (int bit = 0; bit < bits; ++bit) {
    result = where(equal(remainder(rest, 2), 1), result * square, result);
    rest = floor_divide(rest, 2);
    square = square * square;
  }
  const Tensor sign_of_one = where(equal(remainder(magnitude, 2), 1), base, base * base);
  const Tensor beyond = where(less_equal(xgrad::abs(base), 1), sign_of_one, 0);
  result = where(greater(rest, 0), beyond, result);
  return where(less(exponent, 0), where(less_equal(xgrad::abs(base), 1), sign_of_one, 0), result);
}

/// The result is of the type of the base.
Tensors pow_of(const Call& call) {
  const Tensor& base = call[0];
  const Tensor& exponent = call[1];
  if (is_floating(base.dtype())) {
    if (call.value(1).known && exponent.size() == 1 && exponent.ndim() <= base.ndim()) {
      return {pow(base, call.number(1))};  // of a number the derivative is known at 0 as well
    }
    return {pow(base, cast(exponent, base.dtype()))};
  }
  if (is_floating(exponent.dtype())) {
    return {cast(pow(cast(base, DType::float64), cast(exponent, DType::float64)), base.dtype())};
  }
  const auto integers = [](const Tensor& a, const Tensor& b) { return pow_of_integers(a, b); };
  return {cast(integers(cast(base, DType::int64), cast(exponent, DType::int64)), base.dtype())};
}

Tensors mod(const Call& call) {
  return {call.flag("fmod", false) ? arithmetic<xgrad::fmod>(call[0], call[1])
                                   : arithmetic<xgrad::remainder>(call[0], call[1])};
}

Tensors where_of(const Call& call) { return {where(call[0], call[1], call[2])}; }

constexpr std::array arithmetic_table = {
    Operator{"Add", {2, 2}, binary_arithmetic<xgrad::add>},
    Operator{"And", {2, 2}, binary<xgrad::logical_and>},
    Operator{"Div", {2, 2}, binary_arithmetic<xgrad::divide>},
    Operator{"Equal", {2, 2}, binary<xgrad::equal>},
    Operator{"Greater", {2, 2}, binary<xgrad::greater>},
    Operator{"GreaterOrEqual", {2, 2}, binary<xgrad::greater_equal>, 12},
    Operator{"Less", {2, 2}, binary<xgrad::less>},
    Operator{"LessOrEqual", {2, 2}, binary<xgrad::less_equal>, 12},
    Operator{"Max", {1, any_number}, variadic<xgrad::maximum>, 6},
    Operator{"Mean", {1, any_number}, mean_of_inputs, 6},
    Operator{"Min", {1, any_number}, variadic<xgrad::minimum>, 6},
    Operator{"Mod", {2, 2}, mod, 10},
    Operator{"Mul", {2, 2}, binary_arithmetic<xgrad::multiply>},
    Operator{"Or", {2, 2}, binary<xgrad::logical_or>},
    Operator{"Pow", {2, 2}, pow_of},
    Operator{"Sub", {2, 2}, binary_arithmetic<xgrad::subtract>},
    Operator{"Sum", {1, any_number}, variadic<xgrad::add>, 6},
    Operator{"Where", {3, 3}, where_of, 9},
    Operator{"Xor", {2, 2}, binary<xgrad::not_equal>},
};

}  // namespace

std::span<const Operator> arithmetic_operators() { return arithmetic_table; }

}  // namespace xgrad::onnx::loading
