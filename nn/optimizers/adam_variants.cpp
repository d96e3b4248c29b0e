
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/optimizers/adam.hpp"
#include "nn/optimizers/moments.hpp"
#include "nn/optimizers/number.hpp"

namespace xgrad::nn {

NAdam::NAdam(const Parameters& parameters, const NAdamOptions& options, std::source_location where)
    : Optimizer(parameters, common("nadam", options), where),
      momentum_at_(
          [psi = options.momentum_decay](Scalar beta, Scalar t) { return beta * (1 - 0.5 * pow(0.96, t * psi)); },
          "nadam_momentum"),
      second_moment_(detail::second_moment(options.beta2)),
      correction2_(detail::bias_correction(options.beta2)),
      weight_([epsilon = options.epsilon](
                  Scalar w, Scalar g, Scalar m, Scalar v, Scalar of_g, Scalar of_m,
                  Scalar correction2) { return w - (of_g * g + of_m * m) / (sqrt(v * correction2) + epsilon); },
              "nadam_weight") {
  located(where, [&] {
    detail::require_adam_options("nadam", options.beta2, options.epsilon);
    detail::require_not_negative("nadam", "momentum decay", options.momentum_decay);
  });
  count_steps();
  for (std::size_t i = 0; i < group_count(); ++i) {
    momentum_products_.push_back(
        add_state(Tensor(1.0), i == 0 ? "momentum_product" : phrase("group_{}.momentum_product", i)));
  }
  first_moments_ = add_moments("first_moment");
  second_moments_ = add_moments("second_moment");
}

void NAdam::update(const Step& step, std::vector<Assignment>& updates) const {
  static const Formula rate_of_g(
      [](Scalar alpha, Scalar mu, Scalar product) { return alpha * (1 - mu) / (1 - product); }, "nadam_rate");
  static const Formula rate_of_m(
      [](Scalar alpha, Scalar next, Scalar product) { return alpha * next / (1 - next * product); }, "nadam_rate");
  const Tensor mu = map(momentum_at_, {step.momentum, step.t});
  const Tensor next = map(momentum_at_, {step.momentum, step.t + 1});
  const Tensor product = momentum_products_[step.group] * mu;
  updates.emplace_back(momentum_products_[step.group], product);
  detail::Number c1(1 - step.momentum);
  detail::Number of_g(map(rate_of_g, {step.learning_rate, mu, product}));
  detail::Number of_m(map(rate_of_m, {step.learning_rate, next, product}));
  detail::Number correction2(map(correction2_, {step.t}));
  for (const Entry& p : step.entries) {
    const DType dtype = p.w.dtype();
    const Tensor m = detail::next(detail::first_moment(), p.g, first_moments_[p.index], updates, c1.in(dtype));
    const Tensor v = detail::next(second_moment_, p.g, second_moments_[p.index], updates);
    updates.emplace_back(p.variable,
                         map(weight_, {p.w, p.g, m, v, of_g.in(dtype), of_m.in(dtype), correction2.in(dtype)}));
  }
}

RAdam::RAdam(const Parameters& parameters, const RAdamOptions& options, std::source_location where)
    : Optimizer(parameters, common("radam", options), where),
      second_moment_(detail::second_moment(options.beta2)),
      // r √(1 - β₂ᵗ), or 0 where there is nothing to rectify yet.
      rectification_(
          [beta = options.beta2](Scalar t) {
            const double rho = 2 / (1 - beta) - 1;
            const Scalar power = pow(beta, t);
            const Scalar rho_t = rho - 2 * t * power / (1 - power);
            const Scalar known = maximum(rho_t, 5);
            const Scalar squared = (known - 4) * (known - 2) * rho / ((rho - 4) * (rho - 2) * known);
            return xgrad::where(rho_t > 5, sqrt(squared * (1 - power)), 0);
          },
          "radam_rectification"),
      weight_(
          [epsilon = options.epsilon](Scalar w, Scalar m, Scalar v, Scalar alpha1, Scalar r) {
            return w - alpha1 * m * xgrad::where(r > 0, r / (sqrt(v) + epsilon), 1);
          },
          "radam_weight") {
  located(where, [&] { detail::require_adam_options("radam", options.beta2, options.epsilon); });
  count_steps();
  first_moments_ = add_moments("first_moment");
  second_moments_ = add_moments("second_moment");
}

void RAdam::update(const Step& step, std::vector<Assignment>& updates) const {
  detail::Number c1(1 - step.momentum);
  detail::Number alpha1(map(detail::corrected_rate(), {step.learning_rate, step.momentum, step.t}));
  detail::Number r(map(rectification_, {step.t}));
  for (const Entry& p : step.entries) {
    const DType dtype = p.w.dtype();
    const Tensor m = detail::next(detail::first_moment(), p.g, first_moments_[p.index], updates, c1.in(dtype));
    const Tensor v = detail::next(second_moment_, p.g, second_moments_[p.index], updates);
    updates.emplace_back(p.variable, map(weight_, {p.w, m, v, alpha1.in(dtype), r.in(dtype)}));
  }
}

}  // namespace xgrad::nn
