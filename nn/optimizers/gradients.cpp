#include "nn/optimizers/gradients.hpp"

#include "autograd/ops/ops.hpp"
#include "autograd/transforms/grad.hpp"
#include "nn/optimizers/checks.hpp"
#include "nn/optimizers/number.hpp"

namespace xgrad::nn {

Tensors clip_by_value(const Tensors& gradients, double limit, std::source_location where) {
  const SourceScope scope(where);
  return located(where, [&] {
    detail::require_positive("clip_by_value", "the limit", limit);
    Tensors clipped;
    for (const Tensor& gradient : gradients) {
      clipped.push_back(clip(gradient, -limit, limit));
    }
    return clipped;
  });
}

Tensor global_norm(const Tensors& gradients, std::source_location where) {
  const SourceScope scope(where);
  return located(where, [&] {
    if (gradients.empty()) {
      raise<ValueError>("global_norm", "the list of gradients is empty; give at least one");
    }
    Tensor squares;
    for (const Tensor& gradient : gradients) {
      const Tensor of_one = cast(sum(square(gradient)), DType::float64);
      squares = squares.defined() ? squares + of_one : of_one;
    }
    return sqrt(squares);
  });
}

Tensors clip_by_global_norm(const Tensors& gradients, double max_norm, std::source_location where) {
  const SourceScope scope(where);
  return located(where, [&] {
    detail::require_positive("clip_by_global_norm", "the norm", max_norm);
    detail::Number factor(minimum(max_norm / (global_norm(gradients, where) + 1e-6), 1.0));
    Tensors clipped;
    for (const Tensor& gradient : gradients) {
      clipped.push_back(gradient * factor.in(gradient.dtype()));
    }
    return clipped;
  });
}

Tensors detail::clipped(Tensors gradients, const Clipping& clipping, const std::source_location& where) {
  if (clipping.value) {
    gradients = clip_by_value(gradients, *clipping.value, where);
  }
  return clipping.norm ? clip_by_global_norm(gradients, *clipping.norm, where) : gradients;
}

GradientAccumulator::GradientAccumulator(const Variables& parameters, std::source_location where)
    : parameters_(parameters), count_(Tensor(0.0), "count") {
  located(where, [&] { detail::require_trainable("gradient_accumulator", parameters); });
  for (const Variable& parameter : parameters) {
    sums_.emplace_back(zeros_like(parameter), "gradient of " + parameter.name());
  }
}

void GradientAccumulator::add(const Tensor& loss, std::source_location where) {
  const Tensors gradients = grad(loss, Tensors(parameters_.begin(), parameters_.end()), Unreached::error, where);
  const SourceScope scope(where);
  std::vector<Assignment> updates{{count_, count_ + 1}};
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    updates.emplace_back(sums_[i], sums_[i] + gradients[i]);
  }
  assign(updates);
}

void GradientAccumulator::reset() {
  std::vector<Assignment> updates{{count_, zeros_like(count_)}};
  for (const Variable& sum : sums_) {
    updates.emplace_back(sum, zeros_like(sum));
  }
  assign(updates);
}

Tensors GradientAccumulator::sum() const { return Tensors(sums_.begin(), sums_.end()); }

Tensors GradientAccumulator::mean() const {
  detail::Number count(count_);
  Tensors means;
  for (const Variable& sum : sums_) {
    means.push_back(sum / count.in(sum.dtype()));
  }
  return means;
}

}  // namespace xgrad::nn
