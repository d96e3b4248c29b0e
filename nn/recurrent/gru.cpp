#include "nn/recurrent/gru.hpp"

#include "autograd/ops/ops.hpp"

namespace xgrad::nn {

namespace {

Tensor next_state(const Tensor& h, const Tensor& by_input, const Tensor& by_state) {
  const Tensors x = split(by_input, 3, -1);
  const Tensors s = split(by_state, 3, -1);
  const Tensor reset = sigmoid(x[0] + s[0]);
  const Tensor update = sigmoid(x[1] + s[1]);
  const Tensor candidate = tanh(x[2] + reset * s[2]);
  return (1 - update) * candidate + update * h;
}

}  // namespace

GRU::GRU(std::int64_t input_size, std::int64_t hidden_size, RecurrentOptions options, std::source_location where)
    : Recurrent("gru", 3, input_size, hidden_size, options, where) {}

Recurrence<Tensor> GRU::operator()(const Operand& x, const SequenceOptions<Tensor>& options) const {
  const Made made = run(x, from(options.state), options.lengths, bias_ih() ? bias_ih()->read() : Tensor(),
                        [this](const Tensors& state, const Tensor& projected) {
                          const Tensor by_state = matmul(state[0], weight_hh());
                          return Tensors{next_state(state[0], projected, bias_hh() ? by_state + *bias_hh() : by_state)};
                        });
  return {made.output, made.state[0]};
}

Recurrence<Tensor> GRU::operator()(const Operand& x, const Operand& state) const {
  return (*this)(x, SequenceOptions<Tensor>{state.tensor(), {}});
}

}  // namespace xgrad::nn
