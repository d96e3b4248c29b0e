#include "nn/recurrent/rnn.hpp"

#include "autograd/ops/ops.hpp"

namespace xgrad::nn {

RNN::RNN(std::int64_t input_size, std::int64_t hidden_size, RNNOptions options, std::source_location where)
    : Recurrent("rnn", 1, input_size, hidden_size, {options.bias, options.batch_first, options.key, options.dtype},
                where),
      nonlinearity_(options.nonlinearity) {}

Recurrence<Tensor> RNN::operator()(const Operand& x, const SequenceOptions<Tensor>& options) const {
  const Made made = run(x, from(options.state), options.lengths, both_biases(),
                        [this](const Tensors& state, const Tensor& projected) {
                          const Tensor z = projected + matmul(state[0], weight_hh());
                          return Tensors{nonlinearity_ == Nonlinearity::tanh ? tanh(z) : relu(z)};
                        });
  return {made.output, made.state[0]};
}

Recurrence<Tensor> RNN::operator()(const Operand& x, const Operand& state) const {
  return (*this)(x, SequenceOptions<Tensor>{state.tensor(), {}});
}

}  // namespace xgrad::nn
