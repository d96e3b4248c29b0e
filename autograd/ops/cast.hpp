#pragma once

#include "autograd/graph/operation.hpp"

/// \file
/// Conversion to another dtype, which elementwise kernels do on the way.

namespace xgrad {

/// The input in another dtype.
struct Cast {
  static constexpr std::string_view name = "cast";
  static constexpr bool maps_leading_axes = true;
  DType to;
  static constexpr auto attributes = fields("to", &Cast::to);
  static constexpr bool total = true;
  bool splits_rows(Inputs in) const { return in[0].ndim() > 0; }

  Spec infer(Inputs in) const { return {in[0].shape(), to}; }
  void eval(ConstViews in, Views out) const;
  Tensors vjp(const Node& node, const Cotangents& ct) const;
  Tensors jvp(const Node& node, const Tangents& t) const;
};

}  // namespace xgrad
