#pragma once

#include <optional>
#include <string>

#include "nn/module.hpp"

/// \file
/// A model as a table.

namespace xgrad::nn {

/// A table of the layers of a model: path and type, shape of the output, number of variables' elements, and
/// multiply-adds (those of matrix products) for an input of shape \p input. Sequential models are listed layer by
/// layer. Nothing is computed.
/// \param dtype of the input; that of the model's first variable unless told: an Embedding wants DType::int64.
/// \throws Error as the model does, when it does not take such an input.
std::string summary(const Module& model, const Shape& input, std::optional<DType> dtype = {});

}  // namespace xgrad::nn
