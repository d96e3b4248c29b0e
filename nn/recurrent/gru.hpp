#pragma once

#include "nn/recurrent/recurrent.hpp"

/// \file
/// The gated recurrent unit.

namespace xgrad::nn {

/// In each step (Cho et al., Learning phrase representations using RNN encoder-decoder for statistical machine translation,
/// 2014), as torch.nn.GRU has it, with b_hh of n inside the product with r:
///
///     r = σ(x W_ir + b_ir + h W_hr + b_hr)          reset
///     z = σ(x W_iz + b_iz + h W_hz + b_hz)          update
///     n = tanh(x W_in + b_in + r (h W_hn + b_hn))   candidate
///     h ← (1 - z) n + z h
///
/// Weights and biases have r, z and n beside each other in this order.
class GRU : public Layer<GRU>, public Recurrent {
 public:
  /// \throws ValueError when a size is less than 1.
  GRU(std::int64_t input_size, std::int64_t hidden_size, RecurrentOptions options = {},
      std::source_location where = std::source_location::current());

  /// \param x (steps, batch, input_size), or (batch, steps, input_size) with batch_first; (steps, input_size) of a single
  /// sample, whose state is (hidden_size,).
  /// \throws ShapeError when \p x, the state or lengths are of other shapes.
  /// \throws DTypeError when \p x or the state are not of the dtype of the weights, or lengths are no integers.
  /// \throws ValueError, when the result is computed, for a length outside [0, steps].
  Recurrence<Tensor> operator()(const Operand& x, const SequenceOptions<Tensor>& options = {}) const;
  /// The same, from a state h, (batch, hidden_size), on.
  Recurrence<Tensor> operator()(const Operand& x, const Operand& state) const;
};

}  // namespace xgrad::nn
