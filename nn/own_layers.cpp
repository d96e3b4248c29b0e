#include "nn/own_layers.hpp"

namespace xgrad::nn {

template Module::Module(BatchNorm);
template Module::Module(CELU);
template Module::Module(Dense);
template Module::Module(Dropout);
template Module::Module(ELU);
template Module::Module(Embedding);
template Module::Module(Flatten);
template Module::Module(GELU);
template Module::Module(GRU);
template Module::Module(HardSigmoid);
template Module::Module(HardSwish);
template Module::Module(LSTM);
template Module::Module(LastState<GRU>);
template Module::Module(LastState<LSTM>);
template Module::Module(LastState<RNN>);
template Module::Module(LayerNorm);
template Module::Module(LeakyReLU);
template Module::Module(LogSigmoid);
template Module::Module(LogSoftmax);
template Module::Module(Mish);
template Module::Module(RNN);
template Module::Module(ReLU);
template Module::Module(Residual);
template Module::Module(SELU);
template Module::Module(Sequential);
template Module::Module(Shrink);
template Module::Module(SiLU);
template Module::Module(Sigmoid);
template Module::Module(Softmax);
template Module::Module(Softplus);
template Module::Module(Softsign);
template Module::Module(Tanh);

}  // namespace xgrad::nn
