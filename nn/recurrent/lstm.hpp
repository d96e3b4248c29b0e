#pragma once

#include "autograd/graph/results.hpp"
#include "nn/recurrent/recurrent.hpp"

/// \file
/// Long short-term memory.

namespace xgrad::nn {

/// The state of an LSTM; a structure of tensors, as scan and compile take them.
struct LSTMState {
  Tensor h;  ///< the output of the last step, (batch, hidden_size)
  Tensor c;  ///< the memory cells, (batch, hidden_size)
};

namespace detail {

/// What the state of an LSTM has as its output: h.
inline const Tensor& hidden_of(const LSTMState& state) { return state.h; }

}  // namespace detail

/// In each step (Hochreiter and Schmidhuber, Long short-term memory, 1997; with the forget gate of Gers et al., 2000)
///
///     i = σ(x W_ii + b_ii + h W_hi + b_hi)       input gate
///     f = σ(x W_if + b_if + h W_hf + b_hf)       forget gate
///     g = tanh(x W_ig + b_ig + h W_hg + b_hg)    candidate
///     o = σ(x W_io + b_io + h W_ho + b_ho)       output gate
///     c ← f c + i g;  h ← o tanh(c)
///
/// Weights and biases have i, f, g and o beside each other in this order.
class LSTM : public Layer<LSTM>, public Recurrent {
 public:
  /// \throws ValueError when a size is less than 1.
  LSTM(std::int64_t input_size, std::int64_t hidden_size, RecurrentOptions options = {},
       std::source_location where = std::source_location::current());

  /// \param x (steps, batch, input_size), or (batch, steps, input_size) with batch_first; (steps, input_size) of a single
  /// sample, whose state is (hidden_size,).
  /// \throws ShapeError when \p x, the state or lengths are of other shapes.
  /// \throws DTypeError when \p x or the state are not of the dtype of the weights, or lengths are no integers.
  /// \throws ValueError, when the result is computed, for a length outside [0, steps].
  Recurrence<LSTMState> operator()(const Operand& x, const SequenceOptions<LSTMState>& options = {}) const;
  /// The same, from a state on: `lstm(x, {h, c})`.
  Recurrence<LSTMState> operator()(const Operand& x, const LSTMState& state) const;
};

}  // namespace xgrad::nn

/// LSTMState as a structure.
template <>
struct xgrad::detail::Packing<xgrad::nn::LSTMState> {
  static void put(const nn::LSTMState& state, Results& results) {
    Packing<Tensor>::put(state.h, results);
    Packing<Tensor>::put(state.c, results);
  }
  static nn::LSTMState take(ResultReader& reader) {
    return {Packing<Tensor>::take(reader), Packing<Tensor>::take(reader)};  // braces: from left to right
  }
};
