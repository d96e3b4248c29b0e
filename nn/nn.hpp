#pragma once

/// \file
/// Everything of the layers and their training.

/// \namespace xgrad::nn
/// Layers, losses, optimisers and metrics.

#include "autograd/array/xtensor.hpp"
#include "nn/activations.hpp"
#include "nn/callbacks.hpp"
#include "nn/checkpoint.hpp"
#include "nn/checkpoints.hpp"
#include "nn/confusion_matrix.hpp"
#include "nn/dense.hpp"
#include "nn/dropout.hpp"
#include "nn/embedding.hpp"
#include "nn/flatten.hpp"
#include "nn/history.hpp"
#include "nn/initializers.hpp"
#include "nn/layer.hpp"
#include "nn/losses.hpp"
#include "nn/metrics.hpp"
#include "nn/mode.hpp"
#include "nn/module.hpp"
#include "nn/moving_average.hpp"
#include "nn/normalization.hpp"
#include "nn/npz.hpp"
#include "nn/optimizers.hpp"
#include "nn/own_layers.hpp"
#include "nn/ranks.hpp"
#include "nn/recurrent/gru.hpp"
#include "nn/recurrent/last_state.hpp"
#include "nn/recurrent/lstm.hpp"
#include "nn/recurrent/rnn.hpp"
#include "nn/report/report.hpp"
#include "nn/report/run_record.hpp"
#include "nn/safetensors.hpp"
#include "nn/saved.hpp"
#include "nn/schedules.hpp"
#include "nn/summary.hpp"
#include "nn/torch_names.hpp"
#include "nn/torch_state.hpp"
#include "nn/trainer.hpp"
