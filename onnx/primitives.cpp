#include "onnx/primitives.hpp"

#include "onnx/composed.hpp"

namespace xgrad::onnx {

const std::vector<PrimitiveRow>& primitive_rows() {
  using kernels::Opcode;
  constexpr auto comparison = PrimitiveRow::Kind::comparison;
  constexpr auto logical = PrimitiveRow::Kind::logical;
  constexpr auto selection = PrimitiveRow::Kind::selection;
  static const std::vector<PrimitiveRow> rows = {
      {Opcode::negative, "negative", "Neg"},
      {Opcode::abs, "abs", "Abs"},
      {Opcode::sign, "sign", "", composed::sign},
      {Opcode::exp, "exp", "Exp"},
      {Opcode::expm1, "expm1", "", composed::expm1},
      {Opcode::log, "log", "Log"},
      {Opcode::log2, "log2", "", composed::log2},
      {Opcode::log1p, "log1p", "", composed::log1p},
      {Opcode::sqrt, "sqrt", "Sqrt"},
      {Opcode::cbrt, "cbrt", "", composed::cbrt},
      {Opcode::sin, "sin", "Sin"},
      {Opcode::cos, "cos", "Cos"},
      {Opcode::tan, "tan", "Tan"},
      {Opcode::asin, "asin", "Asin"},
      {Opcode::acos, "acos", "Acos"},
      {Opcode::atan, "atan", "Atan"},
      {Opcode::sinh, "sinh", "Sinh"},
      {Opcode::cosh, "cosh", "Cosh"},
      {Opcode::tanh, "tanh", "Tanh"},
      {Opcode::asinh, "asinh", "Asinh"},
      {Opcode::acosh, "acosh", "Acosh"},
      {Opcode::atanh, "atanh", "Atanh"},
      {Opcode::erf, "erf", "Erf"},
      {Opcode::erfc, "erfc", "", composed::erfc},
      {Opcode::sigmoid, "sigmoid", "Sigmoid"},
      {Opcode::relu, "relu", "", composed::relu},
      {Opcode::floor, "floor", "", composed::floor},
      {Opcode::ceil, "ceil", "", composed::ceil},
      {Opcode::round, "round", "", composed::round},
      {Opcode::trunc, "trunc", "", composed::trunc},
      {Opcode::logical_not, "logical_not", "Not", nullptr, logical},
      {Opcode::add, "add", "Add"},
      {Opcode::subtract, "subtract", "Sub"},
      {Opcode::multiply, "multiply", "Mul"},
      {Opcode::divide, "divide", "Div"},
      {Opcode::remainder, "remainder", "", composed::remainder},
      {Opcode::fmod, "fmod", "", composed::fmod},
      {Opcode::pow, "pow", "Pow"},
      {Opcode::maximum, "maximum", "", composed::maximum},
      {Opcode::minimum, "minimum", "", composed::minimum},
      {Opcode::atan2, "atan2", "", composed::atan2},
      {Opcode::hypot, "hypot", "", composed::hypot},
      {Opcode::less, "less", "Less", nullptr, comparison},
      {Opcode::less_equal, "less_equal", "LessOrEqual", nullptr, comparison},
      {Opcode::equal, "equal", "Equal", nullptr, comparison},
      {Opcode::not_equal, "not_equal", "", composed::not_equal, comparison},
      {Opcode::logical_and, "logical_and", "And", nullptr, logical},
      {Opcode::logical_or, "logical_or", "Or", nullptr, logical},
      {Opcode::where, "where", "Where", nullptr, selection},
  };
  return rows;
}

}  // namespace xgrad::onnx
