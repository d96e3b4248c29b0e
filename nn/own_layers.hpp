#pragma once

#include "nn/activations.hpp"
#include "nn/dense.hpp"
#include "nn/dropout.hpp"
#include "nn/embedding.hpp"
#include "nn/flatten.hpp"
#include "nn/module.hpp"
#include "nn/normalization.hpp"
#include "nn/recurrent/gru.hpp"
#include "nn/recurrent/last_state.hpp"
#include "nn/recurrent/lstm.hpp"
#include "nn/recurrent/rnn.hpp"

/// \file
/// The layers of the library as modules: these conversions are compiled in the library, and not again in every program.

namespace xgrad::nn {

extern template Module::Module(BatchNorm);
extern template Module::Module(CELU);
extern template Module::Module(Dense);
extern template Module::Module(Dropout);
extern template Module::Module(ELU);
extern template Module::Module(Embedding);
extern template Module::Module(Flatten);
extern template Module::Module(GELU);
extern template Module::Module(GRU);
extern template Module::Module(HardSigmoid);
extern template Module::Module(HardSwish);
extern template Module::Module(LSTM);
extern template Module::Module(LastState<GRU>);
extern template Module::Module(LastState<LSTM>);
extern template Module::Module(LastState<RNN>);
extern template Module::Module(LayerNorm);
extern template Module::Module(LeakyReLU);
extern template Module::Module(LogSigmoid);
extern template Module::Module(LogSoftmax);
extern template Module::Module(Mish);
extern template Module::Module(RNN);
extern template Module::Module(ReLU);
extern template Module::Module(Residual);
extern template Module::Module(SELU);
extern template Module::Module(Sequential);
extern template Module::Module(Shrink);
extern template Module::Module(SiLU);
extern template Module::Module(Sigmoid);
extern template Module::Module(Softmax);
extern template Module::Module(Softplus);
extern template Module::Module(Softsign);
extern template Module::Module(Tanh);

}  // namespace xgrad::nn
