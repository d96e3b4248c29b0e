#pragma once

#include "autograd/formula/formula.hpp"
#include "nn/optimizers/optimizer.hpp"

/// \file
/// Optimisers that follow the gradient, or its sign, along a velocity. In the formulas w is a parameter, g its
/// gradient, α the learning rate and λ the weight decay; with the option maximize, g is the negative gradient.

namespace xgrad::nn {

/// Options of SGD.
struct SGDOptions {
  double learning_rate = 0.01;  ///< α at the beginning
  double momentum = 0;          ///< μ
  double dampening = 0;         ///< d, which keeps gradients from piling up in the velocity
  bool nesterov = false;        ///< look ahead along the velocity (Nesterov, 1983); needs momentum, and no dampening
  double weight_decay = 0;      ///< λ
  bool maximize = false;        ///< climb instead of descend
};

/// Stochastic gradient descent:
///
///     g ← g + λ w;  v ← μ v + (1 - d) g;  w ← w - α v,  or with Nesterov's momentum  w ← w - α (g + μ v).
///
/// The first step is not dampened: v = g. (Sutskever et al., On the importance of initialization and momentum in deep
/// learning, 2013, in PyTorch's form.) State: the velocities, `0.weight.momentum`; with dampening, the number of steps.
class SGD : public Optimizer {
 public:
  /// \throws ValueError for an option out of range, no parameters, or one given twice.
  explicit SGD(const Parameters& parameters, const SGDOptions& options = {},
               std::source_location where = std::source_location::current());

 private:
  void update(const Step& step, std::vector<Assignment>& updates) const override;
  Tensor undampened(const Tensor& t) const;

  bool nesterov_;
  double dampening_;
  Variables velocities_;
};

/// Options of Lion.
struct LionOptions {
  double learning_rate = 1e-4;  ///< α at the beginning
  double beta1 = 0.9;           ///< weight of the momentum in the direction of a step
  double beta2 = 0.99;          ///< decay of the momentum
  double weight_decay = 0;      ///< λ
  bool maximize = false;        ///< climb instead of descend
};

/// Lion (Chen et al., Symbolic discovery of optimization algorithms, 2023): every element moves by the learning rate,
///
///     w ← w - α (sign(β₁ m + (1 - β₁) g) + λ w);  m ← β₂ m + (1 - β₂) g.
///
/// State: the momenta, `0.weight.momentum`.
class Lion : public Optimizer {
 public:
  /// \throws ValueError for an option out of range, no parameters, or one given twice.
  explicit Lion(const Parameters& parameters, const LionOptions& options = {},
                std::source_location where = std::source_location::current());

 private:
  void update(const Step& step, std::vector<Assignment>& updates) const override;

  Variables momenta_;
  Formula momentum_;
};

}  // namespace xgrad::nn
