#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "autograd/graph/operation.hpp"

/// \file
/// Picking evenly spaced elements and putting them back, which plans of single numbers do by naming them.

namespace xgrad {

/// Evenly spaced positions of each axis: begin, begin + step, ..., count of them.
struct Positions {
  Ints begin, step;
  Shape count;

  static constexpr auto attributes =
      fields("begin", &Positions::begin, "step", &Positions::step, "count", &Positions::count);

  std::size_t offset(const Ints& strides) const;  ///< of the first one, where an array has these strides
  Ints steps(const Ints& strides) const;          ///< from one to the next, along each axis
  /// All samples, and of each the same positions.
  Positions behind_samples(std::int64_t samples) const;
};

/// The elements at some positions.
struct StridedSlice {
  static constexpr std::string_view name = "slice";
  static constexpr bool cheap = true;
  static constexpr bool linear = true;
  Positions positions;
  static constexpr auto attributes = fields("", &StridedSlice::positions);
  static constexpr bool total = true;

  Spec infer(Inputs in) const { return {positions.count, in[0].dtype()}; }
  void eval(ConstViews in, Views out) const;
  Tensors vjp(const Node& node, const Cotangents& ct) const;
  Tensors vmap(const Node& node, const BatchedInputs& in) const;
};

/// Zeros of a given shape to which each input is added at positions of its own: the transpose of as many slices.
struct Unslice {
  static constexpr std::string_view name = "unslice";
  static constexpr bool linear = true;
  std::vector<Positions> positions;  ///< per input
  Shape shape;
  static constexpr auto attributes = fields("", &Unslice::positions, "shape", &Unslice::shape);
  static constexpr bool total = true;

  Spec infer(Inputs in) const { return {shape, in[0].dtype()}; }
  void eval(ConstViews in, Views out) const;
  Tensors vjp(const Node& node, const Cotangents& ct) const;
  Tensors vmap(const Node& node, const BatchedInputs& in) const;
  Tensor sum(std::span<const Tensor> terms) const;
};

}  // namespace xgrad
