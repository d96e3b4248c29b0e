#include <nlohmann/json.hpp>

#include "autograd/ops/ops.hpp"
#include "nn/losses.hpp"
#include "nn/normalization.hpp"
#include "tests/golden/arrays.hpp"
#include "tests/golden/operations.hpp"

namespace xgrad::golden {

namespace {

using nlohmann::json;
using X = const Tensors&;
using A = Entries&;

nn::Reduction reduction(Entries& a) {
  const std::string name = a.choice("reduction", {"mean", "sum", "none"});
  return name == "mean" ? nn::Reduction::mean : name == "sum" ? nn::Reduction::sum : nn::Reduction::none;
}

/// A number, a list of numbers or an array; undefined when it is absent.
Tensor weights(Entries& a, const std::string& key) {
  const json* value = a.find(key);
  if (value == nullptr || value->is_object()) {
    return value == nullptr ? Tensor() : read_array(*value, key);
  }
  const json shape = value->is_array() ? json{value->size()} : json::array();
  return read_array(json{{"shape", shape}, {"data", value->is_array() ? *value : json::array({*value})}}, key);
}

/// The classes, which stand on axis 1 in the files, moved to the end.
Tensor classes_last(const Tensor& x) {
  Shape order;
  for (std::size_t i = 0; i < x.ndim(); ++i) {
    if (i != 1 || x.ndim() == 2) {
      order.push_back(static_cast<std::int64_t>(i));
    }
  }
  if (x.ndim() > 2) {
    order.push_back(1);
  }
  return transpose(x, order);
}

std::int64_t ignored_label(Entries& a) { return a.integer("ignore_index", -100); }

Tensor cross_entropy(X x, A a) {
  const bool labels = !is_floating(x[1].dtype());
  nn::CrossEntropyOptions options{reduction(a), a.number("label_smoothing", 0), weights(a, "weight")};
  if (labels) {
    options.ignored_label = ignored_label(a);
  }
  return nn::cross_entropy(classes_last(x[0]), labels ? x[1] : classes_last(x[1]), options);
}

Tensor nll(X x, A a) {
  return nn::nll(classes_last(x[0]), x[1], {reduction(a), weights(a, "weight"), ignored_label(a)});
}

Tensor kl_divergence(X x, A a) {
  const bool log_target = a.flag("log_target", false);
  if (a.text("reduction", "mean") == "batchmean") {
    const auto rows = static_cast<double>(x[0].shape(0));
    return nn::kl_divergence(x[0], x[1], {nn::Reduction::sum, log_target}) / rows;
  }
  return nn::kl_divergence(x[0], x[1], {reduction(a), log_target});
}

/// The last axes, as many as \p normalized has.
Axes last_axes(const Tensor& x, const Shape& normalized) {
  Shape axes;
  for (std::size_t i = 0; i < normalized.ndim(); ++i) {
    axes.push_back(static_cast<std::int64_t>(x.ndim() - normalized.ndim() + i));
  }
  return Axes(axes);
}

Tensor layer_norm(X x, A a) {
  const Shape scale_shape = x.size() > 1 ? x[1].shape() : Shape{x[0].shape().back()};
  const Axes axes = last_axes(x[0], a.integers("normalized_shape", scale_shape));
  return nn::standardize(x[0], axes, x.size() > 1 ? Operand(x[1]) : Operand(1.0),
                         x.size() > 2 ? Operand(x[2]) : Operand(0.0), a.number("epsilon", 1e-5));
}

/// Features stand on axis 1.
Tensor batch_norm_train(X x, A a) {
  const Tensor input = classes_last(x[0]);
  const Shape batch(input.shape().begin(), input.shape().end() - 1);
  Shape axes;
  for (std::size_t i = 0; i < batch.ndim(); ++i) {
    axes.push_back(static_cast<std::int64_t>(i));
  }
  const Tensor result = nn::standardize(input, Axes(axes), x.size() > 1 ? Operand(x[1]) : Operand(1.0),
                                        x.size() > 2 ? Operand(x[2]) : Operand(0.0), a.number("epsilon", 1e-5));
  Shape order = {0, static_cast<std::int64_t>(batch.ndim())};
  for (std::size_t i = 1; i < batch.ndim(); ++i) {
    order.push_back(static_cast<std::int64_t>(i));
  }
  return transpose(result, order);
}

}  // namespace

OpTable network_ops() {
  return {
      {"cross_entropy", {2, cross_entropy}},
      {"cross_entropy_probabilities", {2, cross_entropy}},
      {"nll", {2, nll}},
      {"mse", {2, [](X x, A a) { return nn::mse(x[0], x[1], reduction(a)); }}},
      {"mae", {2, [](X x, A a) { return nn::mae(x[0], x[1], reduction(a)); }}},
      {"huber", {2, [](X x, A a) { return nn::huber(x[0], x[1], a.number("delta", 1), reduction(a)); }}},
      {"smooth_l1", {2, [](X x, A a) { return nn::smooth_l1(x[0], x[1], a.number("beta", 1), reduction(a)); }}},
      {"binary_cross_entropy_with_logits",
       {2,
        [](X x, A a) {
          return nn::binary_cross_entropy_with_logits(x[0], x[1], {reduction(a), weights(a, "pos_weight")});
        }}},
      {"kl_divergence", {2, kl_divergence}},
      {"hinge", {2, [](X x, A a) { return nn::hinge(x[0], x[1], reduction(a)); }}},
      {"cosine_similarity",
       {2,
        [](X x, A a) { return nn::cosine_similarity(x[0], x[1], a.integer("axis", -1), a.number("epsilon", 1e-8)); }}},
      {"cosine_embedding",
       {3,
        [](X x, A a) {
          return nn::cosine_embedding(x[0], x[1], x[2], {reduction(a), a.number("margin", 0)});
        }}},
      {"layer_norm", {1, layer_norm, 2}},
      {"batch_norm_train", {1, batch_norm_train, 2}},
      {"dense", {2, [](X x, A) { return x.size() > 2 ? matmul(x[0], x[1]) + x[2] : matmul(x[0], x[1]); }, 1}},
  };
}

}  // namespace xgrad::golden
