#pragma once

#include "autograd/array/fixed_vector.hpp"
#include "autograd/graph/operation.hpp"

/// \file
/// The one elementwise operation.

namespace xgrad {

/// formula(inputs...) for every element, inputs broadcast against each other; one output per result, all of one shape.
/// Derivatives are formulas again.
struct Map {
  static constexpr std::string_view name = "map";
  Formula formula;
  static constexpr auto attributes = fields("formula", &Map::formula);

  std::string_view title() const { return formula.name(); }
  bool total(Inputs in) const;
  bool cheap() const;
  detail::FixedVector<Spec, 1> infer(Inputs in) const;
  void eval(ConstViews in, Views out) const;
  Tensors vjp(const Node& node, const Cotangents& ct) const;
  Tensors jvp(const Node& node, const Tangents& t) const;
  Tensors vmap(const Node& node, const BatchedInputs& in) const;
};

/// The type in which a formula computes on operands of these types.
DType compute_dtype(const Formula& formula, ConstViews in);

/// What a formula gives on these operands, by as many nodes as its length needs. Results that are operands are passed on.
Tensors apply_formula(const Formula& formula, const Tensors& operands);

/// The same for a formula of any length, piece by piece: one tensor per value of the program, where it is an operand, a result
/// or goes from one piece to another.
Tensors apply_pieces(const Formula& formula, const Tensors& operands);

/// \p in with axes of size 1 after the sample axis, so that tensors of fewer axes than \p ndim per sample broadcast
/// against the others as they do without samples.
Tensors align_samples(const Node& node, const BatchedInputs& in, std::size_t ndim);

}  // namespace xgrad
