#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/onnx/cases.hpp"
#include "tests/ops/op_table.hpp"

/// \file
/// The table of ops as functions to be written: each with its value, and its derivatives in both modes.

namespace xgrad::testing {

/// One call of one op.
struct RowModel {
  std::string name;  ///< of row and dtype
  std::string op;
  Tensors operands;
  TensorFunction value;
  TensorFunction derivatives;  ///< empty where the op has none
};

/// All calls in the table of ops that take elements of \p dtype.
std::vector<RowModel> row_models(DType dtype);

}  // namespace xgrad::testing
