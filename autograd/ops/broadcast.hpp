#pragma once

#include "autograd/graph/operation.hpp"

/// \file
/// Repetition along axes, which elementwise kernels do on the way.

namespace xgrad {

/// The input, repeated along new axes and axes of size 1.
struct BroadcastTo {
  static constexpr std::string_view name = "broadcast_to";
  static constexpr bool cheap = true;
  static constexpr bool linear = true;
  Shape shape;
  static constexpr auto attributes = fields("shape", &BroadcastTo::shape);
  static constexpr bool total = true;

  Spec infer(Inputs in) const;
  void eval(ConstViews in, Views out) const;
  Tensors vjp(const Node& node, const Cotangents& ct) const;
  Tensors vmap(const Node& node, const BatchedInputs& in) const;
};

}  // namespace xgrad
