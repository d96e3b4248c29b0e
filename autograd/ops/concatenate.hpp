#pragma once

#include <cstdint>

#include "autograd/graph/operation.hpp"

/// \file
/// Joining tensors along an axis, which plans of single numbers do by naming them.

namespace xgrad {

/// The inputs one after the other along an axis.
struct Concatenate {
  static constexpr std::string_view name = "concatenate";
  static constexpr bool cheap = true;
  static constexpr bool linear = true;
  std::int64_t axis;  ///< negative: counted from the end
  static constexpr auto attributes = fields("axis", &Concatenate::axis);
  static constexpr bool total = true;

  Spec infer(Inputs in) const;
  void eval(ConstViews in, Views out) const;
  Tensors vjp(const Node& node, const Cotangents& ct) const;
  Tensors vmap(const Node& node, const BatchedInputs& in) const;
};

}  // namespace xgrad
