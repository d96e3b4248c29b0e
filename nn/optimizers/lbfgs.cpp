#include "nn/optimizers/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/optimizers/checks.hpp"
#include "nn/optimizers/line_search.hpp"

namespace xgrad::nn {

namespace {

double dot(const Tensor& a, const Tensor& b) { return sum(a * b).item(); }
double largest(const Tensor& x) { return amax(abs(x)).item(); }

// All elements of all tensors, one after the other, in float64.
Tensor flatten(const Tensors& tensors) {
  Tensors parts;
  for (const Tensor& tensor : tensors) {
    parts.push_back(cast(reshape(tensor, {-1}), DType::float64));
  }
  return concatenate(parts).detach();
}

// What is not finite of a loss and its gradients; empty when all is.
std::string first_not_finite(double loss, const Tensors& gradients, const Variables& parameters) {
  if (!std::isfinite(loss)) {
    return phrase("the loss is {}", std::isnan(loss) ? NAN : loss);  // without the sign that a NaN may have
  }
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (!all(isfinite(gradients[i])).item<bool>()) {
      return phrase("the gradient of parameter '{}' has elements that are not finite",
                    detail::parameter_name(i, parameters[i]));
    }
  }
  return "";
}

}  // namespace

LBFGS::LBFGS(const Variables& parameters, const LBFGSOptions& options, std::source_location where)
    : parameters_(parameters), options_(options), learning_rate_(Tensor(options.learning_rate), "learning_rate") {
  located(where, [&] {
    detail::require_trainable("lbfgs", parameters);
    detail::require_positive("lbfgs", "the learning rate", options.learning_rate);
    detail::require_count("lbfgs", "the number of iterations", options.max_iterations);
    detail::require_count("lbfgs", "the number of evaluations", options.max_evaluations, 0);
    detail::require_count("lbfgs", "the size of the history", options.history_size);
    detail::require_not_negative("lbfgs", "the tolerance of the gradient", options.gradient_tolerance);
    detail::require_not_negative("lbfgs", "the tolerance of changes", options.change_tolerance);
  });
  if (options_.max_evaluations == 0) {
    options_.max_evaluations = options_.max_iterations * 5 / 4;
  }
}

Tensor LBFGS::flat_parameters() const { return flatten(Tensors(parameters_.begin(), parameters_.end())); }

void LBFGS::assign_flat(const Tensor& flat) const {
  std::vector<Assignment> updates;
  std::int64_t first = 0;
  for (const Variable& parameter : parameters_) {
    const Tensor part = flat[range(first, first + parameter.size())];
    updates.emplace_back(parameter, cast(reshape(part, parameter.shape()), parameter.dtype()));
    first += parameter.size();
  }
  assign(updates);
}

LBFGSResult LBFGS::minimize(const Loss& loss, std::source_location where) {
  const auto value_and_gradient = [&]() -> std::pair<Tensor, Tensors> {
    const Tensor value = loss();
    return {value, detail::gradients_of(value, parameters_, where)};
  };
  return minimize(ValueAndGradient(value_and_gradient), where);
}

LBFGSResult LBFGS::minimize(const ValueAndGradient& value_and_gradient, std::source_location where) {
  const Tensors before(parameters_.begin(), parameters_.end());
  Memory memory = memory_;
  const auto evaluate = [&]() -> Evaluation {
    const auto [value, gradients] = value_and_gradient();
    detail::require_gradients("lbfgs", gradients, parameters_);
    const auto loss = value.item<double>();
    ++memory.evaluations;
    const std::string not_finite = first_not_finite(loss, gradients, parameters_);
    return {not_finite.empty() ? loss : INFINITY, flatten(gradients), not_finite};
  };
  End end;
  try {
    end = located(where, [&] { return run(evaluate, memory); });
  } catch (...) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      parameters_[i].assign(before[i]);
    }
    throw;
  }
  memory_ = memory;
  if (!end.failure.empty()) {
    located(where, [&] { raise<ValueError>("lbfgs", end.failure); });
  }
  return end.result;
}

LBFGS::End LBFGS::run(const Evaluate& evaluate, Memory& memory) const {
  const double alpha = learning_rate_.item();
  detail::require_positive("lbfgs", "the learning rate", alpha);
  const std::int64_t first_evaluation = memory.evaluations;
  Evaluation now = evaluate();
  if (!now.not_finite.empty()) {
    raise<ValueError>(
        "lbfgs", phrase("where minimisation begins {}; begin elsewhere, or look at the loss there", now.not_finite));
  }
  const double initial = now.loss;
  double best_loss = now.loss;
  Tensor best = flat_parameters();
  std::string stopped = reason_to_stop(now, INFINITY, 0, INFINITY);
  for (int i = 0; stopped.empty() && i < options_.max_iterations; ++i) {
    remember_change(now.gradient, memory);
    const bool is_first = memory.iterations++ == 0;
    memory.previous_gradient = now.gradient;
    memory.step = is_first ? std::min(1.0, 1 / sum(abs(now.gradient)).item()) * alpha : alpha;
    const double slope = dot(now.gradient, memory.direction);
    if (!(slope <= -options_.change_tolerance)) {
      stopped =
          phrase("along the direction that is left the loss changes by no more than {}", options_.change_tolerance);
      break;
    }
    const double previous_loss = now.loss;
    if (options_.line_search) {
      now = search(evaluate, now, slope, memory);
    } else {
      assign_flat(flat_parameters() + memory.step * memory.direction);
      now = evaluate();
    }
    if (!now.not_finite.empty()) {
      assign_flat(best);
      const std::string failure = phrase(
          "{} after a step of {} in iteration {}, and the parameters are where the loss was {}; lower the learning "
          "rate, or use the line search",
          now.not_finite, memory.step, memory.iterations, best_loss);
      memory = Memory{memory.evaluations};
      return {{initial, best_loss, now.not_finite}, failure};
    }
    if (!options_.line_search && now.loss < best_loss) {
      best_loss = now.loss;
      best = flat_parameters();
    }
    stopped = reason_to_stop(now, previous_loss, memory.evaluations - first_evaluation,
                             largest(memory.direction) * std::abs(memory.step));
  }
  return {{initial, now.loss, stopped.empty() ? phrase("{} iterations were made", options_.max_iterations) : stopped},
          {}};
}

// Empty while there is none. The numbers are infinite where there was no step yet.
std::string LBFGS::reason_to_stop(const Evaluation& now, double previous_loss, std::int64_t evaluations,
                                  double change) const {
  if (largest(now.gradient) <= options_.gradient_tolerance) {
    return phrase("no element of the gradient is above {}", options_.gradient_tolerance);
  }
  if (evaluations >= options_.max_evaluations) {
    return phrase("the loss was evaluated {} times", evaluations);
  }
  if (change == 0) {
    return "no step along the direction lowers the loss";
  }
  if (change <= options_.change_tolerance) {
    return phrase("no parameter changed by more than {}", options_.change_tolerance);
  }
  if (std::abs(now.loss - previous_loss) < options_.change_tolerance) {
    return phrase("the loss changed by less than {}", options_.change_tolerance);
  }
  return "";
}

// Takes note of what the last iteration did, and finds the direction of this one: -H g.
void LBFGS::remember_change(const Tensor& gradient, Memory& memory) const {
  if (memory.iterations == 0) {
    memory.direction = (-gradient).detach();
    return;
  }
  const Tensor y = (gradient - memory.previous_gradient).detach();
  const Tensor s = (memory.direction * memory.step).detach();
  const double curvature = dot(y, s);
  if (curvature > 1e-10) {  // else H would lose its definiteness
    if (memory.changes.size() == static_cast<std::size_t>(options_.history_size)) {
      memory.changes.pop_front();
    }
    memory.changes.push_back({y, s, curvature});
    memory.scale = curvature / dot(y, y);
  }
  Tensor q = -gradient;
  std::vector<double> factors;
  for (auto change = memory.changes.rbegin(); change != memory.changes.rend(); ++change) {
    factors.push_back(dot(change->parameters, q) / change->curvature);
    q = q - factors.back() * change->gradient;
  }
  Tensor d = memory.scale * q;
  for (const Change& change : memory.changes) {
    d = d + (factors.back() - dot(change.gradient, d) / change.curvature) * change.parameters;
    factors.pop_back();
  }
  memory.direction = d.detach();
}

// Goes along the direction until the strong Wolfe conditions hold.
LBFGS::Evaluation LBFGS::search(const Evaluate& evaluate, const Evaluation& start, double slope, Memory& memory) const {
  const Tensor from = flat_parameters();
  const Tensor& direction = memory.direction;
  // What is not finite counts as infinitely high: the search turns back there.
  const auto at = [&](double step) -> detail::LinePoint {
    assign_flat(from + step * direction);
    const Evaluation there = evaluate();
    return {step, there.loss, dot(there.gradient, direction), there.gradient};
  };
  const double width = options_.change_tolerance / largest(direction);
  const detail::LinePoint found =
      detail::search_strong_wolfe(at, {0, start.loss, slope, start.gradient}, memory.step, width);
  memory.step = found.step;
  assign_flat(from + found.step * direction);
  return {found.value, found.gradient, ""};
}

}  // namespace xgrad::nn
