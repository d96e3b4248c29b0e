#include "nn/optimizers.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "autograd/ops.hpp"
#include "autograd/transforms.hpp"

namespace xgrad::nn {

namespace {

void require(bool holds, std::string_view optimizer, std::string_view what, double value) {
  if (!holds) {
    raise<ValueError>(optimizer, fmt::format("{}, got {}", what, value));
  }
}

// A number that changes from step to step, in the dtype of a parameter.
Tensor in_dtype_of(const Variable& parameter, const Tensor& number) { return cast(number, parameter.dtype()); }

}  // namespace

namespace {

void require_like(const Tensor& gradient, const Variable& parameter) {
  const Spec given{gradient.shape(), gradient.dtype()};
  const Spec expected{parameter.shape(), parameter.dtype()};
  if (given == expected) {
    return;
  }
  const std::string message = fmt::format("the gradient of parameter '{}' is {}, the parameter {}; they must be alike",
                                          parameter.name(), to_string(given), to_string(expected));
  if (given.shape != expected.shape) {
    raise<ShapeError>("optimizer", message);
  }
  raise<DTypeError>("optimizer", message);
}

}  // namespace

Optimizer::Optimizer(Variables parameters, double learning_rate)
    : parameters_(std::move(parameters)), learning_rate_(Tensor(learning_rate), "learning_rate") {
  if (parameters_.empty()) {
    raise<ValueError>("optimizer", "the list of parameters is empty; give at least one to train");
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (parameters_[i].same_as(parameters_[j])) {
        raise<ValueError>("optimizer", fmt::format("parameters {} and {} are the same variable, '{}'; give each once",
                                                   j, i, parameters_[i].name()));
      }
    }
  }
  require(learning_rate >= 0 && std::isfinite(learning_rate), "optimizer", "the learning rate is 0 or more",
          learning_rate);
}

Variable Optimizer::add_state(const Tensor& initial, std::string name) {
  return state_.emplace_back(initial, std::move(name));
}

Variables Optimizer::add_moments(const std::string& name) {
  Variables moments;
  for (const Variable& parameter : parameters_) {
    moments.push_back(add_state(zeros_like(parameter), fmt::format("{} of {}", name, parameter.name())));
  }
  return moments;
}

void Optimizer::minimize(const Tensor& loss, std::source_location where) {
  step(grad(loss, Tensors(parameters_.begin(), parameters_.end()), Unreached::error, where), where);
}

void Optimizer::step(const Tensors& gradients, std::source_location where) {
  const SourceScope scope(where);
  located(where, [&] {
    if (gradients.size() != parameters_.size()) {
      raise<ValueError>("optimizer", fmt::format("{} gradients for {} parameters; give one for each", gradients.size(),
                                                 parameters_.size()));
    }
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      require_like(gradients[i], parameters_[i]);
    }
    assign(update(gradients));
  });
}

SGD::SGD(Variables parameters, const SGDOptions& options)
    : Optimizer(std::move(parameters), options.learning_rate),
      nesterov_(options.nesterov),
      decayed_([lambda = options.weight_decay](Scalar w, Scalar g) { return g + lambda * w; }, "sgd_gradient"),
      velocity_([mu = options.momentum](Scalar g, Scalar v) { return mu * v + g; }, "sgd_velocity"),
      lookahead_([mu = options.momentum](Scalar g, Scalar v) { return g + mu * v; }, "sgd_lookahead"),
      weight_([](Scalar w, Scalar d, Scalar alpha) { return w - alpha * d; }, "sgd_weight") {
  require(options.momentum >= 0 && std::isfinite(options.momentum), "sgd", "momentum is 0 or more", options.momentum);
  require(!options.nesterov || options.momentum > 0, "sgd", "Nesterov's method needs momentum above 0",
          options.momentum);
  require(options.weight_decay >= 0, "sgd", "weight decay is 0 or more", options.weight_decay);
  decays_ = options.weight_decay > 0;
  if (options.momentum > 0) {
    velocities_ = add_moments("velocity");
  }
}

std::vector<Assignment> SGD::update(const Tensors& gradients) const {
  std::vector<Assignment> updates;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const Variable& w = parameters()[i];
    const Tensor g = decays_ ? map(decayed_, {w, gradients[i]}) : gradients[i];
    Tensor direction = g;
    if (!velocities_.empty()) {
      const Tensor v = map(velocity_, {g, velocities_[i]});
      updates.emplace_back(velocities_[i], v);
      direction = nesterov_ ? map(lookahead_, {g, v}) : v;
    }
    updates.emplace_back(w, map(weight_, {w, direction, in_dtype_of(w, learning_rate())}));
  }
  return updates;
}

Adam::Adam(Variables parameters, const AdamOptions& options)
    : Optimizer(std::move(parameters), options.learning_rate),
      options_(options),
      step_(add_state(Tensor(0.0), "step")),
      first_moments_(add_moments("first moment")),
      second_moments_(add_moments("second moment")),
      first_moment_([b = options.beta1, lambda = options.weight_decay](
                        Scalar w, Scalar g, Scalar m) { return b * m + (1 - b) * (g + lambda * w); },
                    "adam_first_moment"),
      second_moment_([b = options.beta2, lambda = options.weight_decay](
                         Scalar w, Scalar g, Scalar v) { return b * v + (1 - b) * square(g + lambda * w); },
                     "adam_second_moment"),
      weight_(
          [epsilon = options.epsilon](Scalar w, Scalar m, Scalar v, Scalar alpha1, Scalar correction2) {
            return w - alpha1 * m / (sqrt(v * correction2) + epsilon);
          },
          "adam_weight") {
  require(options.beta1 >= 0 && options.beta1 < 1, "adam", "beta1 is in [0, 1)", options.beta1);
  require(options.beta2 >= 0 && options.beta2 < 1, "adam", "beta2 is in [0, 1)", options.beta2);
  require(options.epsilon > 0, "adam", "epsilon is above 0", options.epsilon);
  require(options.weight_decay >= 0, "adam", "weight decay is 0 or more", options.weight_decay);
}

std::vector<Assignment> Adam::update(const Tensors& gradients) const {
  const Tensor t = step_ + 1;
  const Tensor alpha1 = learning_rate() / (1 - pow(options_.beta1, t));
  const Tensor correction2 = 1 / (1 - pow(options_.beta2, t));
  std::vector<Assignment> updates{{step_, t}};
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const Variable& w = parameters()[i];
    const Tensor& g = gradients[i];
    const Tensor m = map(first_moment_, {w, g, first_moments_[i]});
    const Tensor v = map(second_moment_, {w, g, second_moments_[i]});
    updates.emplace_back(first_moments_[i], m);
    updates.emplace_back(second_moments_[i], v);
    updates.emplace_back(w, map(weight_, {w, m, v, in_dtype_of(w, alpha1), in_dtype_of(w, correction2)}));
  }
  return updates;
}

LinearDecay::LinearDecay(double initial, std::int64_t steps) : initial_(initial), steps_(steps) {
  require(std::isfinite(initial), "linear_decay", "the initial rate is a number", initial);
  require(steps >= 1, "linear_decay", "the number of steps is 1 or more", static_cast<double>(steps));
}

double LinearDecay::operator()(std::int64_t step) const {
  const auto left = static_cast<double>(std::clamp<std::int64_t>(steps_ - step, 0, steps_));
  return initial_ * left / static_cast<double>(steps_);
}

}  // namespace xgrad::nn
