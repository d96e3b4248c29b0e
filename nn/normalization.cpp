#include "nn/normalization.hpp"

#include <algorithm>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/ranks.hpp"

namespace xgrad::nn {

namespace {

/// x less its mean along some axes, and the mean and variance, whose axes are kept with size 1.
struct Centred {
  Tensor x, mean, variance;
};

Centred centred(const Tensor& x, const Axes& axes) {
  const Tensor mean = xgrad::mean(x, axes, true);
  const Tensor difference = x - mean;
  return {difference, mean, xgrad::mean(square(difference), axes, true)};
}

/// The same of a batch of which each rank has a part, perhaps without samples; \p count becomes the number of elements that
/// each mean is over.
Centred centred_over(const Ranks& ranks, const Tensor& x, const Axes& axes, Tensor& count) {
  const Tensor sums = sum(x, axes, true);
  const std::int64_t features = sums.size();
  const double own = static_cast<double>(x.size()) / static_cast<double>(features);
  const Tensor all = ranks.all_reduce(concatenate({reshape(sums, {-1}), full({1}, own, x.dtype())}));
  count = reshape(all[range(features, features + 1)], {});
  const Tensor mean = reshape(all[range(0, features)], sums.shape()) / count;
  const Tensor difference = x - mean;
  return {difference, mean, ranks.all_reduce(sum(square(difference), axes, true)) / count};
}

/// centred / √(variance + epsilon) · scale + shift
Tensor scaled(const Centred& c, const Operand& scale, const Operand& shift, double epsilon) {
  const auto formula = [](Scalar a, Scalar variance, Scalar factor, Scalar summand, Scalar least) {
    return a / sqrt(variance + least) * factor + summand;
  };
  return map(formula, c.x, c.variance, scale, shift, epsilon);
}

void require_epsilon(std::string_view layer, double epsilon) {
  if (!(epsilon >= 0)) {
    raise<ValueError>(layer, phrase("epsilon is 0 or more, got {}", epsilon));
  }
}

/// \throws ValueError unless there are axes, all of size 1 or more.
Shape checked(std::string_view layer, const Shape& shape) {
  if (shape.empty() || *std::min_element(shape.begin(), shape.end()) < 1) {
    raise<ValueError>(layer, phrase("takes one or more sizes of 1 or more, got {}", to_string(shape)));
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
    const Tensor result = scaled(centred(input, axes), scale, shift, epsilon);
    if (result.shape() != input.shape()) {
      raise<ShapeError>("standardize", phrase("scale and shift make {} of the input of shape {}; they must broadcast "
                                              "to it",
                                              to_string(result.shape()), to_string(input.shape())));
    }
    return result;
  });
}

LayerNorm::LayerNorm(const Shape& shape, LayerNormOptions options, std::source_location where)
    : shape_(located(where, [&] { return checked("layer_norm", shape); })),
      epsilon_(options.epsilon),
      weight_(optional_variable(options.affine, ones(shape, options.dtype), "weight")),
      bias_(optional_variable(options.affine, zeros(shape, options.dtype), "bias")) {
  located(where, [&] { require_epsilon("layer_norm", epsilon_); });
}

Tensor LayerNorm::operator()(const Operand& x) const {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const Shape& shape = input.shape();
    const bool fits =
        shape.ndim() >= shape_.ndim() && std::equal(shape_.begin(), shape_.end(), shape.end() - shape_.ndim());
    if (!fits) {
      raise<ShapeError>("layer_norm", phrase("the layer takes inputs whose last axes are {}, got {}", to_string(shape_),
                                             to_string(shape)));
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

BatchNorm::BatchNorm(std::int64_t features, BatchNormOptions options, std::source_location where)
    : options_(options),
      weight_(optional_variable(options.affine,
                                ones(located(where, [&] { return checked("batch_norm", {features}); }), options.dtype),
                                "weight")),
      bias_(optional_variable(options.affine, zeros({features}, options.dtype), "bias")),
      running_mean_(zeros({features}, options.dtype), "running_mean"),
      running_variance_(ones({features}, options.dtype), "running_var"),
      batch_count_(Tensor(std::int64_t{0}), "num_batches_tracked") {
  located(where, [&] {
    if (!(options.momentum >= 0 && options.momentum <= 1)) {
      raise<ValueError>("batch_norm", phrase("the momentum is in [0, 1], got {}", options.momentum));
    }
    require_epsilon("batch_norm", options.epsilon);
  });
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
      raise<ShapeError>("batch_norm", phrase("the layer takes {} features, the input of shape {} has {} on axis {}",
                                             features, to_string(shape), shape[axis], axis));
    }
    const auto along = [&](const Tensor& per_feature) { return along_axis(per_feature, input, axis); };
    const Operand scale = weight_ ? Operand(along(*weight_)) : Operand(1.0);
    const Operand shift = bias_ ? Operand(along(*bias_)) : Operand(0.0);
    if (mode.training()) {
      Tensor count;
      const Axes others(other_axes(axis, shape));
      const Centred c = mode.ranks() ? centred_over(*mode.ranks(), input, others, count) : centred(input, others);
      const double momentum = options_.momentum;
      if (mode.ranks()) {
        update_running(c.mean, c.variance, momentum * count / maximum(count - 1, 1));
      } else {
        update_running(c.mean, c.variance, momentum * unbiased_factor(shape));
      }
      return scaled(c, scale, shift, options_.epsilon);
    }
    const auto by_running = [](Scalar a, Scalar mean, Scalar variance, Scalar factor, Scalar summand, Scalar least) {
      return (a - mean) / sqrt(variance + least) * factor + summand;
    };
    return map(by_running, input, along(running_mean_), along(running_variance_), scale, shift, options_.epsilon);
  });
}

double BatchNorm::unbiased_factor(const Shape& input) const {
  const std::int64_t count = input.element_count() / running_mean_.size();
  if (count < 2) {
    raise<ValueError>("batch_norm", phrase("in training each feature needs two elements or more, an input of "
                                           "shape {} has {}",
                                           to_string(input), count));
  }
  return static_cast<double>(count) / static_cast<double>(count - 1);
}

void BatchNorm::update_running(const Tensor& mean, const Tensor& variance, const Operand& variance_gain) const {
  const auto moved = [momentum = options_.momentum](const Variable& running, const Tensor& batch, const Operand& gain) {
    return map([](Scalar r, Scalar b, Scalar kept, Scalar gained) { return kept * r + gained * b; }, running,
               reshape(batch, running.shape()), 1 - momentum, gain);
  };
  assign({{running_mean_, moved(running_mean_, mean, options_.momentum)},
          {running_variance_, moved(running_variance_, variance, variance_gain)},
          {batch_count_, batch_count_ + 1}});
}

void BatchNorm::draw(random::Key) {
  reset(weight_, 1);
  reset(bias_, 0);
  running_mean_.assign(zeros_like(running_mean_));
  running_variance_.assign(ones_like(running_variance_));
  batch_count_.assign(std::int64_t{0});
}

}  // namespace xgrad::nn
