#include "nn/optimizers/adaptive.hpp"

#include "autograd/ops/ops.hpp"
#include "nn/optimizers/moments.hpp"
#include "nn/optimizers/number.hpp"

namespace xgrad::nn {

RMSprop::RMSprop(const Parameters& parameters, const RMSpropOptions& options, std::source_location where)
    : Optimizer(parameters, common("rmsprop", options), where),
      second_moment_(detail::second_moment(options.decay)),
      first_moment_([beta = options.decay](Scalar g, Scalar a) { return a + (1 - beta) * (g - a); }, "first_moment"),
      direction_([epsilon = options.epsilon](Scalar g, Scalar s) { return g / (sqrt(s) + epsilon); },
                 "rmsprop_direction"),
      // Rounding may make the variance of equal gradients negative.
      centered_direction_([epsilon = options.epsilon](Scalar g, Scalar s,
                                                      Scalar a) { return g / (sqrt(maximum(s - a * a, 0)) + epsilon); },
                          "rmsprop_direction") {
  located(where, [&] {
    detail::require_decay("rmsprop", "decay", options.decay);
    detail::require_positive("rmsprop", "epsilon", options.epsilon);
  });
  second_moments_ = add_moments("second_moment");
  if (options.centered) {
    first_moments_ = add_moments("first_moment");
  }
  if (has_momentum()) {
    velocities_ = add_moments("momentum");
  }
}

// d, the gradient over its root mean square.
Tensor RMSprop::direction(const Entry& p, std::vector<Assignment>& updates) const {
  const Tensor s = detail::next(second_moment_, p.g, second_moments_[p.index], updates);
  if (first_moments_.empty()) {
    return map(direction_, {p.g, s});
  }
  const Tensor a = detail::next(first_moment_, p.g, first_moments_[p.index], updates);
  return map(centered_direction_, {p.g, s, a});
}

void RMSprop::update(const Step& step, std::vector<Assignment>& updates) const {
  static const Formula velocity([](Scalar d, Scalar v, Scalar mu) { return mu * v + d; }, "rmsprop_velocity");
  detail::Number alpha(step.learning_rate);
  detail::Number mu(step.momentum);
  for (const Entry& p : step.entries) {
    const DType dtype = p.w.dtype();
    Tensor d = direction(p, updates);
    if (has_momentum()) {
      d = detail::next(velocity, d, velocities_[p.index], updates, mu.in(dtype));
    }
    updates.emplace_back(p.variable, detail::descended(p.w, d, alpha.in(dtype)));
  }
}

Adagrad::Adagrad(const Parameters& parameters, const AdagradOptions& options, std::source_location where)
    : Optimizer(parameters, common("adagrad", options), where),
      rate_([eta = options.learning_rate_decay](Scalar alpha, Scalar t) { return alpha / (1 + (t - 1) * eta); },
            "adagrad_rate"),
      weight_([epsilon = options.epsilon](Scalar w, Scalar g, Scalar s,
                                          Scalar alpha) { return w - alpha * g / (sqrt(s) + epsilon); },
              "adagrad_weight") {
  located(where, [&] {
    detail::require_not_negative("adagrad", "learning rate decay", options.learning_rate_decay);
    detail::require_not_negative("adagrad", "the initial accumulator", options.initial_accumulator);
    detail::require_positive("adagrad", "epsilon", options.epsilon);
  });
  count_steps();
  sums_ = add_moments("sum_of_squares", options.initial_accumulator);
}

void Adagrad::update(const Step& step, std::vector<Assignment>& updates) const {
  static const Formula sum([](Scalar g, Scalar s) { return s + g * g; }, "adagrad_sum");
  detail::Number alpha(map(rate_, {step.learning_rate, step.t}));
  for (const Entry& p : step.entries) {
    const Tensor s = detail::next(sum, p.g, sums_[p.index], updates);
    updates.emplace_back(p.variable, map(weight_, {p.w, p.g, s, alpha.in(p.w.dtype())}));
  }
}

Adadelta::Adadelta(const Parameters& parameters, const AdadeltaOptions& options, std::source_location where)
    : Optimizer(parameters, common("adadelta", options), where),
      mean_square_(detail::second_moment(options.decay)),
      direction_([epsilon = options.epsilon](Scalar g, Scalar s,
                                             Scalar u) { return g * sqrt(u + epsilon) / sqrt(s + epsilon); },
                 "adadelta_direction") {
  located(where, [&] {
    detail::require_decay("adadelta", "decay", options.decay);
    detail::require_positive("adadelta", "epsilon", options.epsilon);
  });
  second_moments_ = add_moments("second_moment");
  squared_updates_ = add_moments("squared_update");
}

void Adadelta::update(const Step& step, std::vector<Assignment>& updates) const {
  detail::Number alpha(step.learning_rate);
  for (const Entry& p : step.entries) {
    const Variable& u = squared_updates_[p.index];
    const Tensor s = detail::next(mean_square_, p.g, second_moments_[p.index], updates);
    const Tensor d = map(direction_, {p.g, s, u});
    detail::next(mean_square_, d, u, updates);
    updates.emplace_back(p.variable, detail::descended(p.w, d, alpha.in(p.w.dtype())));
  }
}

}  // namespace xgrad::nn
