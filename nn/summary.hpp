#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nn/module.hpp"

/// \file
/// A model as a table.

namespace xgrad::nn {

/// A layer as the table has it.
struct LayerSummary {
  std::string path;                ///< where it is in the model, such as `0`; empty for the model itself
  std::string type;                ///< such as `Dense`
  Shape output;                    ///< for the input that was asked about
  std::int64_t parameters = 0;     ///< elements of its variables
  std::int64_t multiply_adds = 0;  ///< of its matrix products
};

/// The layers of a model, as summary() lists them. \throws Error as summary().
std::vector<LayerSummary> layer_summaries(const Module& model, const Shape& input, std::optional<DType> dtype = {});

/// A table of the layers of a model: path and type, shape of the output, number of variables' elements, and
/// multiply-adds (those of matrix products) for an input of shape \p input. Sequential models are listed layer by
/// layer. Nothing is computed.
/// \param dtype of the input; that of the model's first variable unless told (float32 for bfloat16): an Embedding wants DType::int64.
/// \throws Error as the model does, when it does not take such an input.
std::string summary(const Module& model, const Shape& input, std::optional<DType> dtype = {});

}  // namespace xgrad::nn
