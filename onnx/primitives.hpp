#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "autograd/kernels/opcode.hpp"
#include "onnx/graph_writer.hpp"

/// \file
/// Internal: the table of scalar primitives as ONNX has them.

namespace xgrad::onnx {

/// Writes nodes on values of one dtype: what composed forms are written with.
class Elementwise {
 public:
  Elementwise(GraphWriter& graph, DType dtype) : graph_(graph), dtype_(graph.written(dtype)) {}

  using Names = std::vector<std::string>;
  std::string operator()(std::string_view op_type, const Names& inputs) const { return graph_.add(op_type, inputs); }
  /// A constant of the dtype.
  std::string number(double value) const { return graph_.scalar(value, dtype_); }
  GraphWriter& graph() const { return graph_; }
  DType dtype() const { return dtype_; }  ///< as it is written

 private:
  GraphWriter& graph_;
  DType dtype_;
};

/// A row of the table: one scalar primitive.
struct PrimitiveRow {
  /// What the operands and the result are.
  enum class Kind : std::uint8_t {
    numbers,     ///< numbers give a number
    comparison,  ///< numbers give a truth value
    logical,     ///< truth values give one
    selection,   ///< a truth value and two numbers give a number
  };
  using Compose = std::string (*)(const Elementwise& write, const std::vector<std::string>& operands);

  kernels::Opcode code;
  std::string_view name;     ///< ours
  std::string_view op_type;  ///< the operator that is the same; empty where it is composed of others
  Compose compose = nullptr;
  Kind kind = Kind::numbers;
};

/// One row for each primitive, in the order of the opcodes.
const std::vector<PrimitiveRow>& primitive_rows();
inline const PrimitiveRow& primitive_row(kernels::Opcode code) {
  return primitive_rows()[static_cast<std::size_t>(code)];
}

}  // namespace xgrad::onnx
