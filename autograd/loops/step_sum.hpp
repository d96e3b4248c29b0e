#pragma once

#include <cstdint>

#include "autograd/graph/tensor.hpp"
#include "autograd/kernels/product_precision.hpp"

/// \file
/// Sums over the steps of a loop that can wait until the loop has run. Not installed.

namespace xgrad::detail {

/// What each step of a loop adds to a sum. Where it is aᵀ b of matrices of a few rows, or the sum of some rows, all steps together
/// add aᵀ b of the rows of all steps, or their sum: one product instead of one for each step.
class StepSum {
 public:
  /// \param term what one step adds. \param steps how many steps there are.
  StepSum(const Tensor& term, std::int64_t steps);

  /// Whether the sum behind the loop is faster than one in each step, and takes moderate memory.
  bool is_worth_it() const { return worth_it_; }
  const Tensors& rows() const { return rows_; }  ///< what it is computed from, of one step
  /// The sum. \param rows of all steps, stacked on axis 0.
  Tensor of_all_steps(const Tensors& rows) const;

 private:
  Tensors rows_;
  Shape shape_;                                            // of the sum
  ProductPrecision products_ = ProductPrecision::float32;  // of a sum of products
  bool worth_it_ = false;
};

}  // namespace xgrad::detail
