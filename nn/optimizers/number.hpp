#pragma once

#include "autograd/ops/ops.hpp"

/// \file
/// For optimisers' own use.

namespace xgrad::nn::detail {

/// A float64 tensor of shape () that meets tensors of other dtypes. It is converted once, however many it meets.
class Number {
 public:
  explicit Number(Tensor number) : number_(std::move(number)) {}

  const Tensor& in(DType dtype) {
    if (dtype == number_.dtype()) {
      return number_;
    }
    if (!converted_.defined() || converted_.dtype() != dtype) {
      converted_ = cast(number_, dtype);
    }
    return converted_;
  }

 private:
  Tensor number_;
  Tensor converted_;
};

}  // namespace xgrad::nn::detail
