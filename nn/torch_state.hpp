#pragma once

#include <source_location>
#include <string>
#include <vector>

#include "nn/module.hpp"

/// \file
/// Weights to and from PyTorch, under the names and in the layouts of its `state_dict`.
///
/// Layers correspond one to one: a Sequential to torch.nn.Sequential, Dense to Linear, BatchNorm, LayerNorm and Embedding to
/// those of that name; a layer of your own to a torch.nn.Module whose attributes are called as its members, std::vector to
/// ModuleList. What is otherwise stands in a layer's table `torch_names`: see TorchName. Residual stands for what is inside.

namespace xgrad::nn {

/// The elements of all variables as PyTorch's `state_dict` has them: the weights of Dense layers as (out, in), a count of
/// batches of 0 for each BatchNorm, tied variables under each of their names.
///
///     nn::write_safetensors("model.safetensors", nn::torch_state(model));
/// \throws ValueError when two variables have one name there.
State torch_state(const Module& model, std::source_location where = std::source_location::current());

/// What may be left out when a state of PyTorch's is loaded.
struct TorchOptions {
  bool allow_missing = false;     ///< variables that the state lacks stay as they are
  bool allow_unexpected = false;  ///< arrays that the model has no place for are passed over
};

/// What was left out.
struct TorchLeftOut {
  std::vector<std::string> missing;     ///< names of variables that the state lacks
  std::vector<std::string> unexpected;  ///< names of arrays that the model has no place for
};

/// Assigns PyTorch's `state_dict` to the variables of \p model, all or nothing.
///
///     nn::load_torch_state(model, nn::read_safetensors("model.safetensors"));
///
/// Floating-point elements are converted to the dtype of their variable, as PyTorch's `load_state_dict` does: float64
/// rounds to float32. A BatchNorm's count of batches is passed over, and need not be there. For a tied variable one of its
/// names is enough.
/// \throws ValueError listing the names, with their shapes, that the state lacks or has too many, unless \p options allow
///         them, and those that do not fit; and where the elements for a tied variable differ.
/// \throws ShapeError listing all arrays that are not of their variable's shape, if nothing else is wrong.
/// \throws DTypeError listing those that are not of its dtype, and not both floating-point, if nothing else is wrong.
TorchLeftOut load_torch_state(const Module& model, const State& state, const TorchOptions& options = {},
                              std::source_location where = std::source_location::current());

}  // namespace xgrad::nn
