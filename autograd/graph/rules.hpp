#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "autograd/graph/tensor.hpp"

/// \file
/// What the rules of an operation are given.

namespace xgrad {

/// The tensors an operation works on.
using Inputs = std::span<const Tensor>;

/// What a vjp rule is given: the cotangent of each output that has one, and which inputs are asked for.
class Cotangents {
 public:
  /// Refers to \p cotangents, one per output, and \p wanted, one per input; both outlive it.
  Cotangents(Inputs cotangents, const std::vector<bool>& wanted) : cotangents_(cotangents), wanted_(&wanted) {}

  /// The cotangent of output \p i; undefined when nothing flows into that output.
  const Tensor& operator[](std::size_t i) const { return cotangents_[i]; }
  /// Whether the gradient of input \p i is needed; a rule may leave others undefined.
  bool wanted(std::size_t i) const { return (*wanted_)[i]; }

 private:
  Inputs cotangents_;
  const std::vector<bool>* wanted_;
};

/// What a jvp rule is given: the tangent of each input that has one.
class Tangents {
 public:
  /// Refers to \p tangents, one per input, and \p needed, one per output; both outlive it.
  Tangents(Inputs tangents, const std::vector<bool>& needed) : tangents_(tangents), needed_(&needed) {}

  /// The tangent of input \p i; undefined when it is zero.
  const Tensor& operator[](std::size_t i) const { return tangents_[i]; }
  /// Whether the tangent of output \p i is needed; a rule may leave others undefined.
  bool needed(std::size_t i) const { return (*needed_)[i]; }

 private:
  Inputs tangents_;
  const std::vector<bool>* needed_;
};

/// What a vmap rule is given: inputs, some of which have an axis of `size` samples in front of their own axes.
struct BatchedInputs {
  Tensors tensors;                ///< one per input, (size, ..) where it is batched
  std::vector<bool> batched;      ///< per input: has the axis in front
  std::int64_t size;              ///< number of samples
  std::vector<bool> needed = {};  ///< per output: whether it is needed; a rule may leave others undefined

  const Tensor& operator[](std::size_t i) const { return tensors[i]; }  ///< input \p i
};

}  // namespace xgrad
