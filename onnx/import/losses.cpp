#include <array>
#include <cstdint>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/losses.hpp"
#include "onnx/import/axes.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Losses.

namespace xgrad::onnx::loading {

namespace {

/// (samples, classes, ..) as (samples, .., classes).
Tensor classes_last(const Tensor& x) {
  Ints order = all_axes(x.ndim());
  order.erase(1);
  order.push_back(1);
  return transpose(x, order);
}

nn::Reduction reduction_of(const Call& call) {
  const std::string name = call.text("reduction", "mean");
  if (name != "mean" && name != "sum" && name != "none") {
    call.refuse(phrase("the reduction is mean, sum or none, not '{}'", name));
  }
  return name == "mean" ? nn::Reduction::mean : name == "sum" ? nn::Reduction::sum : nn::Reduction::none;
}

/// Of log-probabilities (samples, classes, ..) and labels (samples, ..).
Tensor loss_of(const Call& call, const Tensor& log_probabilities) {
  if (log_probabilities.ndim() < 2) {
    call.refuse(phrase("it takes scores (samples, classes, ..), got {}", to_string(log_probabilities.shape())));
  }
  nn::NllOptions options{reduction_of(call), call.optional(2), {}};
  if (call.says("ignore_index")) {
    options.ignored_label = call.integer("ignore_index", 0);
  }
  return nn::nll(classes_last(log_probabilities), call[1], options);
}

Tensors negative_log_likelihood(const Call& call) { return {loss_of(call, call[0])}; }

Tensors softmax_cross_entropy(const Call& call) {
  if (call[0].ndim() < 2) {
    call.refuse(phrase("it takes scores (samples, classes, ..), got {}", to_string(call[0].shape())));
  }
  const Tensor log_probabilities = log_softmax(call[0], 1);
  return {loss_of(call, log_probabilities), log_probabilities};
}

constexpr std::array losses_table = {
    Operator{"NegativeLogLikelihoodLoss", {2, 3}, negative_log_likelihood, 12},
    Operator{"SoftmaxCrossEntropyLoss", {2, 3}, softmax_cross_entropy, 12},
};

}  // namespace

std::span<const Operator> loss_operators() { return losses_table; }

}  // namespace xgrad::onnx::loading
