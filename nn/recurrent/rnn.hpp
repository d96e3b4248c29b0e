#pragma once

#include "nn/recurrent/recurrent.hpp"

/// \file
/// The simplest recurrent layer.

namespace xgrad::nn {

/// What bends the state of an RNN.
enum class Nonlinearity : std::uint8_t { tanh, relu };

/// Options of an RNN.
struct RNNOptions {
  Nonlinearity nonlinearity = Nonlinearity::tanh;  ///< φ
  bool bias = true;                                ///< whether b_ih and b_hh are added
  bool batch_first = false;                        ///< x and output are (batch, steps, ..), else (steps, batch, ..)
  std::optional<random::Key> key = {};  ///< of the initial values; left out, the place in a Sequential tells it
  DType dtype = DType::float32;         ///< of weights and biases
};

/// In each step (Elman, Finding structure in time, 1990)
///
///     h ← φ(x W_ih + b_ih + h W_hh + b_hh).
class RNN : public Layer<RNN>, public Recurrent {
 public:
  /// \throws ValueError when a size is less than 1.
  RNN(std::int64_t input_size, std::int64_t hidden_size, RNNOptions options = {},
      std::source_location where = std::source_location::current());

  /// \param x (steps, batch, input_size), or (batch, steps, input_size) with batch_first; (steps, input_size) of a single
  /// sample, whose state is (hidden_size,).
  /// \throws ShapeError when \p x, the state or lengths are of other shapes.
  /// \throws DTypeError when \p x or the state are not of the dtype of the weights, or lengths are no integers.
  /// \throws ValueError, when the result is computed, for a length outside [0, steps].
  Recurrence<Tensor> operator()(const Operand& x, const SequenceOptions<Tensor>& options = {}) const;
  /// The same, from a state h, (batch, hidden_size), on.
  Recurrence<Tensor> operator()(const Operand& x, const Operand& state) const;

 private:
  Nonlinearity nonlinearity_;
};

}  // namespace xgrad::nn
