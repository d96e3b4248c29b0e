#include "nn/losses.hpp"

#include <fmt/format.h>

#include "autograd/ops.hpp"

namespace xgrad::nn {

Tensor cross_entropy(const Operand& logits, const Operand& labels) {
  const SourceScope scope(logits);
  const Tensor z = logits.tensor();
  const Tensor y = labels.tensor();
  return located(logits.where(), [&] {
    Shape batch = z.shape();
    if (z.ndim() > 0) {
      batch.erase(batch.ndim() - 1);
    }
    if (z.ndim() == 0 || y.shape() != batch) {
      raise<ShapeError>("cross_entropy", fmt::format("logits of shape {} need labels of shape {}, got {}; logits are "
                                                     "(batch, classes), labels (batch,)",
                                                     to_string(z.shape()), to_string(batch), to_string(y.shape())));
    }
    // Selected, not multiplied: logits of -inf at other classes must not turn into NaN.
    const Tensor is_label = one_hot(y, z.shape().back(), DType::boolean);
    const Tensor label_logit = sum(where(is_label, z, 0.0), -1);
    return mean(logsumexp(z, -1) - label_logit);
  });
}

Tensor mse(const Operand& prediction, const Operand& target) {
  const SourceScope scope(prediction);
  const Tensor p = prediction.tensor();
  const Tensor t = target.tensor();
  return located(prediction.where(), [&] {
    if (p.shape() != t.shape()) {
      raise<ShapeError>("mse", fmt::format("predictions of shape {} and targets of shape {} must be alike; reshape one",
                                           to_string(p.shape()), to_string(t.shape())));
    }
    return mean(square(p - t));
  });
}

}  // namespace xgrad::nn
