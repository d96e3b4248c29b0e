#include "nn/moving_average.hpp"

#include <utility>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/optimizers/checks.hpp"
#include "nn/optimizers/number.hpp"

namespace xgrad::nn {

ExponentialMovingAverage::ExponentialMovingAverage(const Variables& weights, const MovingAverageOptions& options,
                                                   std::source_location where)
    : bias_correction_(options.bias_correction),
      weights_(weights),
      decay_(Tensor(options.decay), "decay"),
      count_(Tensor(0.0), "count") {
  located(where, [&] {
    detail::require_trainable("moving_average", weights);
    detail::require_decay("moving_average", "the decay", options.decay);
  });
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::string& name = weights[i].name();
    averages_.emplace_back(weights[i].read(), phrase("{}.{}{}average", i, name, name.empty() ? "" : "."));
  }
}

void ExponentialMovingAverage::update(std::source_location where) {
  static const Formula corrected([](Scalar d, Scalar t) { return (1 - d) / (1 - pow(d, t)); }, "average_weight");
  static const Formula plain([](Scalar d, Scalar t) { return xgrad::where(t == 1, 1, 1 - d); }, "average_weight");
  static const Formula average([](Scalar a, Scalar w, Scalar c) { return a + c * (w - a); }, "moving_average");
  require_not_swapped(where);
  const SourceScope scope(where);
  const Tensor t = count_ + 1;
  detail::Number c(
      map(bias_correction_ ? corrected : plain, {detail::checked_decay("moving_average", "the decay", decay_), t}));
  std::vector<Assignment> updates{{count_, t}};
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    updates.emplace_back(averages_[i], map(average, {averages_[i], weights_[i], c.in(weights_[i].dtype())}));
  }
  assign(std::move(updates));
}

std::vector<NamedVariable> ExponentialMovingAverage::named_variables() const {
  Variables all = averages_;
  all.push_back(decay_);
  all.push_back(count_);
  return detail::with_names(all);
}

void ExponentialMovingAverage::load_state(const State& state, std::source_location where) const {
  require_not_swapped(where);
  detail::load_state(named_variables(), state, where);
}

void ExponentialMovingAverage::require_not_swapped(const std::source_location& where) const {
  located(where, [&] {
    if (swapped_) {
      raise<ValueError>("moving_average",
                        "the weights are swapped with their averages; destroy what swap() gave first");
    }
  });
}

void ExponentialMovingAverage::exchange() const {
  std::vector<Assignment> updates;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    updates.emplace_back(weights_[i], averages_[i]);
    updates.emplace_back(averages_[i], weights_[i]);
  }
  assign(updates);
}

ExponentialMovingAverage::Swapped ExponentialMovingAverage::swap(std::source_location where) {
  require_not_swapped(where);
  return Swapped(*this);
}

ExponentialMovingAverage::Swapped::Swapped(ExponentialMovingAverage& average) : average_(average) {
  average_.exchange();
  average_.swapped_ = true;
}

ExponentialMovingAverage::Swapped::~Swapped() {
  average_.exchange();
  average_.swapped_ = false;
}

}  // namespace xgrad::nn
