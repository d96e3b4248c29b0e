#include "autograd/loops/step_sum.hpp"

#include "autograd/graph/operation.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/ops/sum.hpp"

namespace xgrad::detail {

namespace {

constexpr std::int64_t most_row_bytes = std::int64_t{1} << 28;  // of the rows of all steps

// What a reshaped tensor is a reshape of.
Tensor without_reshape(Tensor tensor) {
  while (tensor.node().operation().traits().alias && tensor.node().operation().effect().empty() &&
         !tensor.node().operation().traits().stops_gradient && tensor.node().inputs().size() == 1) {
    tensor = tensor.node().input(0);
  }
  return tensor;
}

Tensor joined_rows(const Tensor& steps) {
  return reshape(steps, {steps.shape()[0] * steps.shape()[1], steps.shape()[2]});
}

}  // namespace

StepSum::StepSum(const Tensor& term, std::int64_t steps) : shape_(term.shape()) {
  const Tensor core = without_reshape(term);
  const Node& node = core.node();
  std::int64_t elements = 0;  // of the rows of a step
  if (const auto* product = node.as<MatMul>();
      product != nullptr && product->transpose_a && !product->transpose_b && core.ndim() == 2) {
    rows_ = {node.input(0), node.input(1)};
    products_ = product->products;
    elements = rows_[0].size() + rows_[1].size();
    worth_it_ = elements <= 2 * core.size();
  } else if (const auto* sum = node.as<Sum>(); sum != nullptr && sum->axes.first == 0 && sum->axes.last == 1) {
    rows_ = {node.input(0)};
    elements = rows_[0].size();
    worth_it_ = rows_[0].ndim() == 2 && core.size() > 0;
  }
  const auto bytes = elements * static_cast<std::int64_t>(size_of(term.dtype()));
  worth_it_ = worth_it_ && bytes > 0 && steps <= most_row_bytes / bytes;
}

Tensor StepSum::of_all_steps(const Tensors& rows) const {
  const Tensor total = rows.size() == 2
                           ? apply_op(MatMul{true, false, products_}, {joined_rows(rows[0]), joined_rows(rows[1])})
                           : sum(joined_rows(rows[0]), 0);
  return reshape(total, shape_);
}

}  // namespace xgrad::detail
