#include "nn/recurrent/lstm.hpp"

#include "autograd/ops/ops.hpp"

namespace xgrad::nn {

namespace {

Tensors next_state(const Tensor& c, const Tensor& z) {
  const Tensors gates = split(z, 4, -1);
  const Tensor next = sigmoid(gates[1]) * c + sigmoid(gates[0]) * tanh(gates[2]);
  return {sigmoid(gates[3]) * tanh(next), next};
}

}  // namespace

LSTM::LSTM(std::int64_t input_size, std::int64_t hidden_size, RecurrentOptions options, std::source_location where)
    : Recurrent("lstm", 4, input_size, hidden_size, options, where) {}

Recurrence<LSTMState> LSTM::operator()(const Operand& x, const SequenceOptions<LSTMState>& options) const {
  std::optional<Tensors> state;
  if (options.state) {
    state = Tensors{options.state->h, options.state->c};
  }
  const Made made =
      run(x, {state, 2}, options.lengths, both_biases(), [this](const Tensors& now, const Tensor& projected) {
        return next_state(now[1], projected + matmul(now[0], weight_hh()));
      });
  return {made.output, {made.state[0], made.state[1]}};
}

Recurrence<LSTMState> LSTM::operator()(const Operand& x, const LSTMState& state) const {
  return (*this)(x, SequenceOptions<LSTMState>{state, {}});
}

}  // namespace xgrad::nn
