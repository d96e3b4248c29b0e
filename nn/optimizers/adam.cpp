#include "nn/optimizers/adam.hpp"

#include "autograd/ops/ops.hpp"
#include "nn/optimizers/moments.hpp"
#include "nn/optimizers/number.hpp"

namespace xgrad::nn {

Adam::Adam(const Parameters& parameters, const AdamOptions& options, std::source_location where)
    : Adam("adam", parameters, options, where) {}

Adam::Adam(std::string_view name, const Parameters& parameters, const AdamOptions& options,
           const std::source_location& where)
    : Optimizer(parameters, common(name, options), where),
      second_moment_(detail::second_moment(options.beta2)),
      correction2_(detail::bias_correction(options.beta2)),
      weight_(
          [epsilon = options.epsilon](Scalar w, Scalar m, Scalar v, Scalar alpha1, Scalar correction2) {
            return w - alpha1 * m / (sqrt(v * correction2) + epsilon);
          },
          "adam_weight") {
  located(where, [&] { detail::require_adam_options(name, options.beta2, options.epsilon); });
  count_steps();
  first_moments_ = add_moments("first_moment");
  second_moments_ = add_moments("second_moment");
  if (options.amsgrad) {
    largest_second_moments_ = add_moments("largest_second_moment");
  }
}

void Adam::update(const Step& step, std::vector<Assignment>& updates) const {
  detail::Number c1(1 - step.momentum);
  detail::Number alpha1(map(detail::corrected_rate(), {step.learning_rate, step.momentum, step.t}));
  detail::Number correction2(map(correction2_, {step.t}));
  for (const Entry& p : step.entries) {
    const DType dtype = p.w.dtype();
    const Tensor m = detail::next(detail::first_moment(), p.g, first_moments_[p.index], updates, c1.in(dtype));
    const Tensor v = detail::next(second_moment_, p.g, second_moments_[p.index], updates);
    Tensor divisor = v;
    if (!largest_second_moments_.empty()) {
      divisor = maximum(largest_second_moments_[p.index], v);
      updates.emplace_back(largest_second_moments_[p.index], divisor);
    }
    updates.emplace_back(p.variable, map(weight_, {p.w, m, divisor, alpha1.in(dtype), correction2.in(dtype)}));
  }
}

AdamW::AdamW(const Parameters& parameters, const AdamWOptions& options, std::source_location where)
    : Adam("adamw", parameters,
           {.learning_rate = options.learning_rate,
            .beta1 = options.beta1,
            .beta2 = options.beta2,
            .epsilon = options.epsilon,
            .weight_decay = options.weight_decay,
            .decoupled_weight_decay = true,
            .amsgrad = options.amsgrad,
            .maximize = options.maximize},
           where) {}

Adamax::Adamax(const Parameters& parameters, const AdamaxOptions& options, std::source_location where)
    : Optimizer(parameters, common("adamax", options), where),
      largest_gradient_([b = options.beta2, epsilon = options.epsilon](
                            Scalar g, Scalar u) { return maximum(b * u, abs(g) + epsilon); },
                        "adamax_largest_gradient") {
  located(where, [&] { detail::require_adam_options("adamax", options.beta2, options.epsilon); });
  count_steps();
  first_moments_ = add_moments("first_moment");
  largest_gradients_ = add_moments("largest_gradient");
}

void Adamax::update(const Step& step, std::vector<Assignment>& updates) const {
  static const Formula weight([](Scalar w, Scalar m, Scalar u, Scalar alpha1) { return w - alpha1 * m / u; },
                              "adamax_weight");
  detail::Number c1(1 - step.momentum);
  detail::Number alpha1(map(detail::corrected_rate(), {step.learning_rate, step.momentum, step.t}));
  for (const Entry& p : step.entries) {
    const DType dtype = p.w.dtype();
    const Tensor m = detail::next(detail::first_moment(), p.g, first_moments_[p.index], updates, c1.in(dtype));
    const Tensor u = detail::next(largest_gradient_, p.g, largest_gradients_[p.index], updates);
    updates.emplace_back(p.variable, map(weight, {p.w, m, u, alpha1.in(dtype)}));
  }
}

}  // namespace xgrad::nn
