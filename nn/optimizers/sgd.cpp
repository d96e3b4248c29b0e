#include "nn/optimizers/sgd.hpp"

#include "autograd/ops/ops.hpp"
#include "nn/optimizers/checks.hpp"
#include "nn/optimizers/moments.hpp"
#include "nn/optimizers/number.hpp"

namespace xgrad::nn {

SGD::SGD(const Parameters& parameters, const SGDOptions& options, std::source_location where)
    : Optimizer(parameters, common("sgd", options), where), nesterov_(options.nesterov), dampening_(options.dampening) {
  located(where, [&] {
    detail::require_not_negative("sgd", "dampening", options.dampening);
    detail::require(!nesterov_ || has_momentum(), "sgd", "Nesterov's method needs momentum above 0", options.momentum);
    detail::require(!nesterov_ || dampening_ == 0, "sgd", "Nesterov's method takes no dampening", options.dampening);
  });
  if (has_momentum()) {
    if (dampening_ != 0) {
      count_steps();
    }
    velocities_ = add_moments("momentum");
  }
}

// What is left of a gradient that goes into the velocity: 1 - d, but all of the first one.
Tensor SGD::undampened(const Tensor& t) const {
  return dampening_ == 0 ? Tensor(1.0) : where(t == 1.0, 1.0, Tensor(1 - dampening_));
}

void SGD::update(const Step& step, std::vector<Assignment>& updates) const {
  static const Formula velocity([](Scalar g, Scalar v, Scalar mu) { return mu * v + g; }, "sgd_velocity");
  static const Formula dampened([](Scalar g, Scalar v, Scalar mu, Scalar c) { return mu * v + c * g; }, "sgd_velocity");
  static const Formula lookahead([](Scalar g, Scalar v, Scalar mu) { return g + mu * v; }, "sgd_lookahead");
  detail::Number alpha(step.learning_rate);
  detail::Number mu(step.momentum);
  detail::Number c(has_momentum() ? undampened(step.t) : Tensor());
  for (const Entry& p : step.entries) {
    const DType dtype = p.w.dtype();
    Tensor direction = p.g;
    if (has_momentum()) {
      const Variable& old = velocities_[p.index];
      const Tensor v = dampening_ == 0 ? detail::next(velocity, p.g, old, updates, mu.in(dtype))
                                       : detail::next(dampened, p.g, old, updates, mu.in(dtype), c.in(dtype));
      direction = nesterov_ ? map(lookahead, {p.g, v, mu.in(dtype)}) : v;
    }
    updates.emplace_back(p.variable, detail::descended(p.w, direction, alpha.in(dtype)));
  }
}

Lion::Lion(const Parameters& parameters, const LionOptions& options, std::source_location where)
    : Optimizer(parameters, common("lion", options, true), where),
      momenta_(add_moments("momentum")),
      momentum_([b = options.beta2](Scalar g, Scalar m) { return b * m + (1 - b) * g; }, "lion_momentum") {
  located(where, [&] { detail::require_decay("lion", "beta2", options.beta2); });
}

void Lion::update(const Step& step, std::vector<Assignment>& updates) const {
  static const Formula weight([](Scalar w, Scalar g, Scalar m, Scalar alpha,
                                 Scalar beta) { return w - alpha * sign(beta * m + (1 - beta) * g); },
                              "lion_weight");
  detail::Number alpha(step.learning_rate);
  detail::Number beta(step.momentum);
  for (const Entry& p : step.entries) {
    const DType dtype = p.w.dtype();
    const Variable& m = momenta_[p.index];
    updates.emplace_back(p.variable, map(weight, {p.w, p.g, m, alpha.in(dtype), beta.in(dtype)}));
    detail::next(momentum_, p.g, m, updates);
  }
}

}  // namespace xgrad::nn
