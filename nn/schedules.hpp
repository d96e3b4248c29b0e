#pragma once

#include <cstdint>
#include <functional>
#include <source_location>
#include <vector>

/// \file
/// Learning rates that change with the step.

namespace xgrad::nn {

class Saved;

/// A learning rate, or any number that changes in the course of training, as a pure function of the step, from 0. What
/// stands below step 0 is as at 0. Assign it to the variable that it is for:
///
///     const nn::Schedule rate = nn::schedules::cosine(1e-3, steps);
///     for (std::int64_t step = 0; step < steps; ++step) {
///       adam.learning_rate().assign(rate(step));
///       ...
///
/// The step may be a batch or an epoch. A function of yours, `[](std::int64_t step) { return 0.1 / (1 + step); }`, is a
/// schedule too.
using Schedule = std::function<double(std::int64_t step)>;

/// The schedules there are. All throw ValueError for arguments out of range.
namespace schedules {

/// \p rate at every step.
Schedule constant(double rate, std::source_location where = std::source_location::current());

/// initial · factor^⌊t / period⌋: multiplied by \p factor every \p period steps.
Schedule step(double initial, std::int64_t period, double factor = 0.1,
              std::source_location where = std::source_location::current());

/// initial · factorᵏ, where k of the \p milestones are at t or before: multiplied by \p factor at each.
/// \param milestones in ascending order.
Schedule multi_step(double initial, const std::vector<std::int64_t>& milestones, double factor = 0.1,
                    std::source_location where = std::source_location::current());

/// initial · factorᵗ.
Schedule exponential(double initial, double factor, std::source_location where = std::source_location::current());

/// From \p initial at step 0 in a straight line to \p final at step \p steps, where it stays.
Schedule linear(double initial, double final, std::int64_t steps,
                std::source_location where = std::source_location::current());

/// final + (initial - final) (1 - t / steps)^power until step \p steps, then \p final.
Schedule polynomial(double initial, std::int64_t steps, double power, double final = 0,
                    std::source_location where = std::source_location::current());

/// final + (initial - final) (1 + cos(π t / period)) / 2: at \p final at step \p period, and then up again as the cosine
/// goes (Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017, without restarts).
Schedule cosine(double initial, std::int64_t period, double final = 0,
                std::source_location where = std::source_location::current());

/// The fall of cosine, begun again at \p initial after \p period steps, and after \p multiplier times as many each time
/// after that (Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017).
Schedule warm_restarts(double initial, std::int64_t period, std::int64_t multiplier = 1, double final = 0,
                       std::source_location where = std::source_location::current());

/// Options of one_cycle.
struct OneCycleOptions {
  double rise = 0.3;            ///< fraction of the steps in which the rate rises
  double initial_divisor = 25;  ///< the rate begins at max / initial_divisor
  double final_divisor = 1e4;   ///< and ends at that, divided by final_divisor
  bool straight = false;        ///< in straight lines instead of half waves of a cosine
  bool three_phases = false;    ///< falls as long as it rose, to where it began, and only then to the end
  double base_momentum = 0.85;  ///< the momentum where the rate is largest
  double max_momentum = 0.95;   ///< the momentum at both ends
};

/// Up to \p max_rate and down to nearly 0, in \p steps steps (Smith and Topin, Super-convergence: very fast training of
/// neural networks using large learning rates, 2019).
Schedule one_cycle(double max_rate, std::int64_t steps, const OneCycleOptions& options = {},
                   std::source_location where = std::source_location::current());

/// The momentum that goes with one_cycle: small while the rate is large. Assign it to the optimiser's momentum().
Schedule one_cycle_momentum(std::int64_t steps, const OneCycleOptions& options = {},
                            std::source_location where = std::source_location::current());

/// In a straight line from start_factor · after(0) to after(0) in \p steps steps; then \p after, which begins there.
Schedule warm_up(std::int64_t steps, const Schedule& after, double start_factor = 0,
                 std::source_location where = std::source_location::current());

/// One schedule after the other: number i + 1 takes over at step milestones[i], which is its step 0.
/// \param milestones in ascending order, one less than schedules.
Schedule sequential(const std::vector<Schedule>& parts, const std::vector<std::int64_t>& milestones,
                    std::source_location where = std::source_location::current());

/// The product of all schedules at the same step: one gives the rate, the others factors.
Schedule chained(const std::vector<Schedule>& factors, std::source_location where = std::source_location::current());

}  // namespace schedules

/// Options of ReduceOnPlateau.
struct ReduceOnPlateauOptions {
  bool maximize = false;       ///< whether a larger metric is a better one
  double factor = 0.1;         ///< by which the rate is multiplied, in [0, 1)
  std::int64_t patience = 10;  ///< how many metrics in a row may be no better
  double threshold = 1e-4;     ///< by how much a metric must be better to count
  bool relative = true;        ///< whether the threshold is a fraction of the best metric
  std::int64_t cooldown = 0;   ///< how many metrics do not count after a reduction
  double min_rate = 0;         ///< below which the rate does not fall
  double min_change = 1e-8;    ///< smaller reductions are not made
};

/// A learning rate that falls when a metric stops getting better. Unlike a schedule it has a state:
///
///     nn::ReduceOnPlateau plateau(1e-3, {.patience = 3});
///     for (int epoch = 0; epoch < epochs; ++epoch) {
///       ...
///       adam.learning_rate().assign(plateau.update(validation_loss));
class ReduceOnPlateau {
 public:
  /// \throws ValueError for a rate or an option out of range.
  explicit ReduceOnPlateau(double initial, const ReduceOnPlateauOptions& options = {},
                           std::source_location where = std::source_location::current());

  /// Takes note of a metric. NaN is never better. \return the rate from now on.
  double update(double metric);

  double rate() const { return rate_; }  ///< the rate now
  double best() const { return best_; }  ///< the best metric so far; infinite before the first

  void save(Saved& saved) const;  ///< puts in its rate and what it remembers
  void load(const Saved& saved);  ///< takes that back. \throws ValueError for what is not its own.

 private:
  bool is_better(double metric) const;

  ReduceOnPlateauOptions options_;
  double rate_;
  double best_;
  std::int64_t worse_ = 0;     // metrics in a row that were not better
  std::int64_t cooldown_ = 0;  // metrics still not to count
};

}  // namespace xgrad::nn
