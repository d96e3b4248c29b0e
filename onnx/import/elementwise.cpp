#include <array>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "onnx/elements.hpp"
#include "onnx/import/arithmetic_type.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Operators on the elements of one tensor, beside activations.

namespace xgrad::onnx::loading {

namespace {

template <Tensor (*function)(const Operand&)>
Tensors unary(const Call& call) {
  return {function(call[0])};
}

/// What integers have as well, in int32 where they are uint8.
template <Tensor (*function)(const Operand&)>
Tensors unary_arithmetic(const Call& call) {
  return {with_arithmetic([](const Tensor& x) { return function(x); }, call[0])};
}

Tensors identity(const Call& call) { return {call[0]}; }

Tensors is_infinite(const Call& call) {
  const Tensor& x = call[0];
  const bool negative = call.flag("detect_negative", true);
  const bool positive = call.flag("detect_positive", true);
  if (negative && positive) {
    return {isinf(x)};
  }
  return {negative   ? logical_and(isinf(x), x < 0)
          : positive ? logical_and(isinf(x), x > 0)
                     : broadcast_to(Tensor(false), x.shape())};
}

std::string cast_objection(const GraphNode& node) {
  const auto to = node.attributes.find("to");
  if (to == node.attributes.end() || to->second.kind != Attribute::Kind::integer) {
    return "without a type";
  }
  const std::int64_t number = to->second.integer;
  const bool small = number >= 0 && number < 1000;
  return small && dtype_of(static_cast<std::int32_t>(number))
             ? ""
             : "to " + (small ? name_of(static_cast<std::int32_t>(number)) : phrase("type {}", number));
}

Tensors cast_to(const Call& call) {
  return {cast(call[0], *dtype_of(static_cast<std::int32_t>(call.integer("to", 0))))};
}

Tensors cast_like(const Call& call) { return {cast(call[0], call[1].dtype())}; }

constexpr std::array elementwise_table = {
    Operator{"Abs", {1, 1}, unary_arithmetic<xgrad::abs>, 6},
    Operator{"Acos", {1, 1}, unary<xgrad::acos>},
    Operator{"Acosh", {1, 1}, unary<xgrad::acosh>, 9},
    Operator{"Asin", {1, 1}, unary<xgrad::asin>},
    Operator{"Asinh", {1, 1}, unary<xgrad::asinh>, 9},
    Operator{"Atan", {1, 1}, unary<xgrad::atan>},
    Operator{"Atanh", {1, 1}, unary<xgrad::atanh>, 9},
    Operator{"Cast", {1, 1}, cast_to, 6, any_opset, cast_objection},
    Operator{"CastLike", {2, 2}, cast_like, 15},
    Operator{"Ceil", {1, 1}, unary<xgrad::ceil>, 6},
    Operator{"Cos", {1, 1}, unary<xgrad::cos>},
    Operator{"Cosh", {1, 1}, unary<xgrad::cosh>, 9},
    Operator{"Erf", {1, 1}, unary<xgrad::erf>, 9},
    Operator{"Exp", {1, 1}, unary<xgrad::exp>, 6},
    Operator{"Floor", {1, 1}, unary<xgrad::floor>, 6},
    Operator{"Identity", {1, 1}, identity, 1},
    Operator{"IsInf", {1, 1}, is_infinite, 10},
    Operator{"IsNaN", {1, 1}, unary<xgrad::isnan>, 9},
    Operator{"Log", {1, 1}, unary<xgrad::log>, 6},
    Operator{"Neg", {1, 1}, unary_arithmetic<xgrad::negative>, 6},
    Operator{"Not", {1, 1}, unary<xgrad::logical_not>, 1},
    Operator{"Reciprocal", {1, 1}, unary<xgrad::reciprocal>, 6},
    Operator{"Round", {1, 1}, unary<xgrad::round>, 11},
    Operator{"Sign", {1, 1}, unary_arithmetic<xgrad::sign>, 9},
    Operator{"Sin", {1, 1}, unary<xgrad::sin>},
    Operator{"Sinh", {1, 1}, unary<xgrad::sinh>, 9},
    Operator{"Sqrt", {1, 1}, unary<xgrad::sqrt>, 6},
    Operator{"Tan", {1, 1}, unary<xgrad::tan>},
    Operator{"Tanh", {1, 1}, unary<xgrad::tanh>, 6},
};

}  // namespace

std::span<const Operator> elementwise_operators() { return elementwise_table; }

}  // namespace xgrad::onnx::loading
