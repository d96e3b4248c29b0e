#pragma once

#include "autograd/graph/tensor.hpp"

/// \file
/// The chain rule, in both directions. Derivatives have the dtype of their tensor; those of bfloat16, which nobody adds,
/// are float32. Of all operations it knows those that add: `+`, and `sum` where a tensor had been
/// broadcast. Not installed.

namespace xgrad::detail {

/// Σ cotangentₖᵀ · d outputₖ / d inputᵢ for each of \p inputs; undefined where no derivative flows.
/// \param cotangents one per output, of its shape and the dtype of derivatives; undefined where it is zero.
Tensors reverse_mode(const Tensors& outputs, const Tensors& inputs, const Tensors& cotangents);

/// Σ d outputₖ / d inputᵢ · tangentᵢ for each of \p outputs; undefined where no derivative flows.
/// \param tangents one per input, of its shape and the dtype of derivatives; undefined where it is zero.
Tensors forward_mode(const Tensors& outputs, const Tensors& inputs, const Tensors& tangents);

}  // namespace xgrad::detail
