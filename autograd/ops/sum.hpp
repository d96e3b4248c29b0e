#pragma once

#include "autograd/graph/operation.hpp"
#include "autograd/ops/axis_run.hpp"
#include "autograd/ops/composed.hpp"

/// \file
/// Sums, of which plans know that some can be computed for a few columns at a time.

namespace xgrad {

/// The sum over adjacent axes; of boolean, uint8 and int32: int64. Not of bfloat16.
struct Sum {
  static constexpr std::string_view name = "sum";
  static constexpr bool linear = true;
  AxisRun axes;
  static constexpr auto attributes = fields("axes", &Sum::axes);
  static constexpr bool total = true;
  bool splits_rows(Inputs) const { return axes.first > 0; }

  Spec infer(Inputs in) const {
    const DType dtype = in[0].dtype();
    require_summable(name, dtype);
    return {axes.without(in[0].shape()), is_floating(dtype) ? dtype : DType::int64};
  }
  void eval(ConstViews in, Views out) const;
  Tensors vjp(const Node& node, const Cotangents& ct) const;
  Tensors vmap(const Node& node, const BatchedInputs& in) const;
};

}  // namespace xgrad
