#pragma once

#include <cstdint>

#include "autograd/ops.hpp"
#include "nn/layer.hpp"

/// \file
/// Activations as layers; the functions themselves are ops.

namespace xgrad::nn {

/// max(x, 0)
struct ReLU : Layer<ReLU> {
  Tensor operator()(const Operand& x) const { return relu(x); }  ///< elementwise
};

/// tanh(x)
struct Tanh : Layer<Tanh> {
  Tensor operator()(const Operand& x) const { return tanh(x); }  ///< elementwise
};

/// 1 / (1 + e⁻ˣ)
struct Sigmoid : Layer<Sigmoid> {
  Tensor operator()(const Operand& x) const { return sigmoid(x); }  ///< elementwise
};

/// eˣ / Σ eˣ along an axis. Train with cross_entropy on the logits in front of it.
struct Softmax : Layer<Softmax> {
  std::int64_t axis = -1;                                                 ///< along which the results add up to 1
  static constexpr auto members = fields();                               ///< nothing to train
  Tensor operator()(const Operand& x) const { return softmax(x, axis); }  ///< of the shape of \p x
};

}  // namespace xgrad::nn
