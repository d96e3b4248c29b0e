#pragma once

#include "autograd/graph/operation.hpp"

/// \file
/// Transposition, which a matrix product takes in as a flag.

namespace xgrad {

/// Axis i of the result is axis axes[i] of the input.
struct Transpose {
  static constexpr std::string_view name = "transpose";
  static constexpr bool cheap = true;
  static constexpr bool linear = true;
  Ints axes;
  static constexpr auto attributes = fields("axes", &Transpose::axes);
  static constexpr bool total = true;

  Spec infer(Inputs in) const;
  void eval(ConstViews in, Views out) const;
  Tensors vjp(const Node& node, const Cotangents& ct) const;
  Tensors vmap(const Node& node, const BatchedInputs& in) const;
};

}  // namespace xgrad
