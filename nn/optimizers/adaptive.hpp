#pragma once

#include "autograd/formula/formula.hpp"
#include "nn/optimizers/optimizer.hpp"

/// \file
/// Optimisers that divide gradients by the root of their squares. In the formulas w is a parameter, g its gradient, α
/// the learning rate and λ the weight decay, g ← g + λ w; with the option maximize, g is the negative gradient.

namespace xgrad::nn {

/// Options of RMSprop.
struct RMSpropOptions {
  double learning_rate = 0.01;  ///< α at the beginning
  double decay = 0.99;          ///< β, of the means (PyTorch's alpha)
  double epsilon = 1e-8;        ///< added to the root, against division by 0
  double weight_decay = 0;      ///< λ
  double momentum = 0;          ///< μ, at the beginning
  bool centered = false;        ///< divide by the standard deviation: take the mean gradient off
  bool maximize = false;        ///< climb instead of descend
};

/// RMSprop (Tieleman and Hinton, Lecture 6.5, Coursera: neural networks for machine learning, 2012; centered as in
/// Graves, Generating sequences with recurrent neural networks, 2013):
///
///     s ← β s + (1 - β) g²;  d = g / (√s + ε),  or centered  a ← β a + (1 - β) g;  d = g / (√(s - a²) + ε);
///     w ← w - α d,  or with momentum  v ← μ v + d;  w ← w - α v.
///
/// State: `0.weight.second_moment`; `0.weight.first_moment` when centered; `0.weight.momentum` with momentum.
class RMSprop : public Optimizer {
 public:
  /// \throws ValueError for an option out of range, no parameters, or one given twice.
  explicit RMSprop(const Parameters& parameters, const RMSpropOptions& options = {},
                   std::source_location where = std::source_location::current());

 private:
  void update(const Step& step, std::vector<Assignment>& updates) const override;
  Tensor direction(const Entry& p, std::vector<Assignment>& updates) const;

  Variables second_moments_;
  Variables first_moments_;
  Variables velocities_;
  Formula second_moment_;
  Formula first_moment_;
  Formula direction_;
  Formula centered_direction_;
};

/// Options of Adagrad.
struct AdagradOptions {
  double learning_rate = 0.01;     ///< α at the beginning
  double learning_rate_decay = 0;  ///< η
  double initial_accumulator = 0;  ///< s before the first step
  double epsilon = 1e-10;          ///< added to the root, against division by 0
  double weight_decay = 0;         ///< λ
  bool maximize = false;           ///< climb instead of descend
};

/// Adagrad (Duchi et al., Adaptive subgradient methods for online learning and stochastic optimization, 2011): at step t
///
///     s ← s + g²;  w ← w - α / (1 + (t - 1) η) g / (√s + ε).
///
/// State: `step`, `0.weight.sum_of_squares`.
class Adagrad : public Optimizer {
 public:
  /// \throws ValueError for an option out of range, no parameters, or one given twice.
  explicit Adagrad(const Parameters& parameters, const AdagradOptions& options = {},
                   std::source_location where = std::source_location::current());

 private:
  void update(const Step& step, std::vector<Assignment>& updates) const override;

  Variables sums_;
  Formula rate_;
  Formula weight_;
};

/// Options of Adadelta.
struct AdadeltaOptions {
  double learning_rate = 1;  ///< α at the beginning
  double decay = 0.9;        ///< ρ, of both means
  double epsilon = 1e-6;     ///< added under the roots, against division by 0 and to begin to move
  double weight_decay = 0;   ///< λ
  bool maximize = false;     ///< climb instead of descend
};

/// Adadelta (Zeiler, ADADELTA: an adaptive learning rate method, 2012):
///
///     s ← ρ s + (1 - ρ) g²;  d = g √(u + ε) / √(s + ε);  u ← ρ u + (1 - ρ) d²;  w ← w - α d.
///
/// State: `0.weight.second_moment`, `0.weight.squared_update`.
class Adadelta : public Optimizer {
 public:
  /// \throws ValueError for an option out of range, no parameters, or one given twice.
  explicit Adadelta(const Parameters& parameters, const AdadeltaOptions& options = {},
                    std::source_location where = std::source_location::current());

 private:
  void update(const Step& step, std::vector<Assignment>& updates) const override;

  Variables second_moments_;
  Variables squared_updates_;
  Formula mean_square_;
  Formula direction_;
};

}  // namespace xgrad::nn
