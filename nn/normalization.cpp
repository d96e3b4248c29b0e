#include "nn/normalization.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "autograd/ops.hpp"

namespace xgrad::nn {

namespace {

/// What x is normalised by; broadcast to it.
struct Moments {
  Tensor mean, variance;
};

Moments moments(const Tensor& x, const Axes& axes) {
  const Tensor mean = xgrad::mean(x, axes, true);
  const Tensor squares = map([](Scalar a, Scalar m) { return square(a - m); }, x, mean);
  return {mean, xgrad::mean(squares, axes, true)};
}

/// (x - mean) / √(variance + epsilon) · scale + shift: one pass over x.
Tensor standardize_by(const Moments& m, const Tensor& x, const Operand& scale, const Operand& shift, double epsilon) {
  const Formula formula([=](Scalar a, Scalar mean, Scalar variance, Scalar factor,
                            Scalar summand) { return (a - mean) / sqrt(variance + epsilon) * factor + summand; },
                        "standardize");
  return map(formula, {x, m.mean, m.variance, scale, shift});
}

void require_epsilon(std::string_view layer, double epsilon) {
  if (!(epsilon >= 0)) {
    raise<ValueError>(layer, fmt::format("epsilon is 0 or more, got {}", epsilon));
  }
}

/// \throws ValueError unless there are axes, all of size 1 or more.
Shape checked(std::string_view layer, const Shape& shape) {
  if (shape.empty() || *std::min_element(shape.begin(), shape.end()) < 1) {
    raise<ValueError>(layer, fmt::format("takes one or more sizes of 1 or more, got {}", to_string(shape)));
  }
  return shape;
}

std::optional<Variable> optional_variable(bool present, const Tensor& initial, const char* name) {
  return present ? std::optional<Variable>(std::in_place, initial, name) : std::nullopt;
}

void reset(const std::optional<Variable>& variable, double value) {
  if (variable) {
    variable->assign(full_like(*variable, value));
  }
}

}  // namespace

Tensor standardize(const Operand& x, const Axes& axes, const Operand& scale, const Operand& shift, double epsilon) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const Tensor result = standardize_by(moments(input, axes), input, scale, shift, epsilon);
    if (result.shape() != input.shape()) {
      raise<ShapeError>("standardize",
                        fmt::format("scale and shift make {} of the input of shape {}; they must broadcast "
                                    "to it",
                                    to_string(result.shape()), to_string(input.shape())));
    }
    return result;
  });
}

LayerNorm::LayerNorm(const Shape& shape, LayerNormOptions options)
    : shape_(checked("layer_norm", shape)),
      epsilon_(options.epsilon),
      weight_(optional_variable(options.affine, ones(shape, options.dtype), "weight")),
      bias_(optional_variable(options.affine, zeros(shape, options.dtype), "bias")) {
  require_epsilon("layer_norm", epsilon_);
}

Tensor LayerNorm::operator()(const Operand& x) const {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const Shape& shape = input.shape();
    const bool fits =
        shape.ndim() >= shape_.ndim() && std::equal(shape_.begin(), shape_.end(), shape.end() - shape_.ndim());
    if (!fits) {
      raise<ShapeError>("layer_norm", fmt::format("the layer takes inputs whose last axes are {}, got {}",
                                                  to_string(shape_), to_string(shape)));
    }
    Shape axes;
    for (std::size_t axis = shape.ndim() - shape_.ndim(); axis < shape.ndim(); ++axis) {
      axes.push_back(static_cast<std::int64_t>(axis));
    }
    return weight_ ? standardize(input, Axes(axes), *weight_, *bias_, epsilon_)
                   : standardize(input, Axes(axes), 1.0, 0.0, epsilon_);
  });
}

void LayerNorm::draw(random::Key) {
  reset(weight_, 1);
  reset(bias_, 0);
}

BatchNorm::BatchNorm(std::int64_t features, BatchNormOptions options)
    : options_(options),
      weight_(optional_variable(options.affine, ones(checked("batch_norm", {features}), options.dtype), "weight")),
      bias_(optional_variable(options.affine, zeros({features}, options.dtype), "bias")),
      running_mean_(zeros({features}, options.dtype), "running_mean"),
      running_variance_(ones({features}, options.dtype), "running_var") {
  if (!(options.momentum >= 0 && options.momentum <= 1)) {
    raise<ValueError>("batch_norm", fmt::format("the momentum is in [0, 1], got {}", options.momentum));
  }
  require_epsilon("batch_norm", options.epsilon);
}

namespace {

/// A tensor of one element per feature, in the place of the features' axis of an input.
Tensor along_axis(const Tensor& per_feature, const Tensor& input, std::size_t axis) {
  if (axis + 1 == input.ndim()) {
    return per_feature;  // broadcasts by itself
  }
  Shape shape{per_feature.size()};
  for (std::size_t i = axis + 1; i < input.ndim(); ++i) {
    shape.push_back(1);
  }
  return reshape(per_feature, shape);
}

Shape other_axes(std::size_t axis, const Shape& shape) {
  Shape others;
  for (std::size_t i = 0; i < shape.ndim(); ++i) {
    if (i != axis) {
      others.push_back(static_cast<std::int64_t>(i));
    }
  }
  return others;
}

}  // namespace

Tensor BatchNorm::operator()(const Operand& x, const Mode& mode) const {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const Shape& shape = input.shape();
    const std::size_t axis = normalize_axis("batch_norm", options_.axis, shape.ndim());
    const std::int64_t features = running_mean_.size();
    if (shape[axis] != features) {
      raise<ShapeError>("batch_norm",
                        fmt::format("the layer takes {} features, the input of shape {} has {} on axis {}", features,
                                    to_string(shape), shape[axis], axis));
    }
    const auto along = [&](const Tensor& per_feature) { return along_axis(per_feature, input, axis); };
    Moments m;
    if (mode.training()) {
      m = moments(input, Axes(other_axes(axis, shape)));
      update_running(m.mean, m.variance, shape);
    } else {
      m = {along(running_mean_), along(running_variance_)};
    }
    return weight_ ? standardize_by(m, input, along(*weight_), along(*bias_), options_.epsilon)
                   : standardize_by(m, input, 1.0, 0.0, options_.epsilon);
  });
}

void BatchNorm::update_running(const Tensor& mean, const Tensor& variance, const Shape& input) const {
  const std::int64_t count = input.element_count() / running_mean_.size();
  if (count < 2) {
    raise<ValueError>("batch_norm", fmt::format("in training each feature needs two elements or more, an input of "
                                                "shape {} has {}",
                                                to_string(input), count));
  }
  const auto moved = [momentum = options_.momentum](const Variable& running, const Tensor& batch, double factor) {
    return map([=](Scalar r, Scalar b) { return (1 - momentum) * r + momentum * factor * b; }, running,
               reshape(batch, running.shape()));
  };
  const double unbiased = static_cast<double>(count) / static_cast<double>(count - 1);
  assign({{running_mean_, moved(running_mean_, mean, 1)},
          {running_variance_, moved(running_variance_, variance, unbiased)}});
}

void BatchNorm::draw(random::Key) {
  reset(weight_, 1);
  reset(bias_, 0);
  running_mean_.assign(zeros_like(running_mean_));
  running_variance_.assign(ones_like(running_variance_));
}

}  // namespace xgrad::nn
