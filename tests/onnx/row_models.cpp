#include "tests/onnx/row_models.hpp"

#include <algorithm>
#include <iterator>

#include "autograd/autograd.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::testing {

namespace {

// Cotangents of the floating operands, and the tangent of the result.
Tensors derivatives_of(const op_table::Row& row, const Tensors& operands) {
  Tensors floating;
  std::copy_if(operands.begin(), operands.end(), std::back_inserter(floating),
               [](const Tensor& x) { return is_floating(x.dtype()); });
  Tensors directions;
  for (const Tensor& each : floating) {
    directions.push_back(cos(each));
  }
  const Tensor value = row.call(operands);
  Tensors results = vjp(value, floating, cast(value * 0.5, value.dtype()) + 1.0, Unreached::zeros);
  results.push_back(jvp(value, floating, directions));
  return results;
}

bool has_derivatives(const op_table::Row& row, const Tensors& operands) {
  return std::any_of(operands.begin(), operands.end(), [](const Tensor& x) { return is_floating(x.dtype()); }) &&
         is_floating(row.call(operands).dtype());
}

}  // namespace

std::vector<RowModel> row_models(DType dtype) {
  std::vector<RowModel> models;
  if (dtype == DType::bfloat16) {  // comes back as float32, which the same calls compute with
    return models;
  }
  for (const op_table::Row& row : op_table::tensor_rows()) {
    for (std::size_t i = 0; op_table::takes(row, dtype) && i < row.cases.size(); ++i) {
      RowModel model{phrase("{}.{}", row.name(), to_string(dtype)), row.op, make_inputs(row.cases[i], dtype),
                     [&row](const Tensors& x) { return Tensors{row.call(x)}; }, nullptr};
      if (has_derivatives(row, model.operands)) {
        model.derivatives = [&row](const Tensors& x) { return derivatives_of(row, x); };
      }
      models.push_back(std::move(model));
    }
  }
  return models;
}

}  // namespace xgrad::testing
