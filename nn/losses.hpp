#pragma once

#include "autograd/tensor.hpp"

/// \file
/// Losses: means over a batch.

namespace xgrad::nn {

/// Cross-entropy of softmax(logits) and integer labels: the mean over the batch of log Σⱼ exp(zⱼ) - z_label.
/// \param logits (.., classes), floating; stable for large ones.
/// \param labels (..), of any integer dtype, each in [0, classes).
/// \throws ShapeError when the shapes do not belong together.
/// \throws DTypeError for labels that are not integers.
/// \throws ValueError, when the loss is computed, for a label out of range.
Tensor cross_entropy(const Operand& logits, const Operand& labels);

/// The mean of (prediction - target)². Both have the same shape: broadcasting here is nearly always a mistake.
/// \throws ShapeError when the shapes differ.
Tensor mse(const Operand& prediction, const Operand& target);

}  // namespace xgrad::nn
