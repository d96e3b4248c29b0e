#pragma once

#include <source_location>
#include <vector>

#include "autograd/formula.hpp"
#include "autograd/tensor.hpp"
#include "autograd/variable.hpp"
#include "nn/layer.hpp"

/// \file
/// Optimisers: update rules written as formulas on variables. In the formulas below w is a parameter, g its gradient, α
/// the learning rate.

namespace xgrad::nn {

/// What all optimisers share: the parameters they train and a learning rate that may change at any time.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One step down the gradient of \p loss: takes its gradient with respect to every parameter, computes all new values
  /// together and assigns them. When something fails, no parameter changes.
  /// \throws GradientError when the loss does not depend on a parameter.
  void minimize(const Tensor& loss, std::source_location where = std::source_location::current());

  /// One step with given gradients, one per parameter.
  /// \throws ValueError when there are more or fewer of them than parameters.
  /// \throws ShapeError when one is not of the shape of its parameter.
  void step(const Tensors& gradients, std::source_location where = std::source_location::current());

  const Variables& parameters() const { return parameters_; }  ///< what it trains, in the order given
  /// α, a float64 variable of shape (): assign to it to change the rate.
  const Variable& learning_rate() const { return learning_rate_; }
  /// What the optimiser remembers between steps: moments, step counts.
  const Variables& state() const { return state_; }

 protected:
  /// \throws ValueError for an empty list of parameters or a negative or infinite learning rate.
  Optimizer(Variables parameters, double learning_rate);
  Optimizer(const Optimizer&) = default;             ///< shares parameters, learning rate and state
  Optimizer& operator=(const Optimizer&) = default;  ///< shares parameters, learning rate and state

  /// New values of the parameters and of the state, from the gradients.
  virtual std::vector<Assignment> update(const Tensors& gradients) const = 0;

  /// A variable that is part of the state.
  Variable add_state(const Tensor& initial, std::string name);
  /// One variable of zeros per parameter, part of the state.
  Variables add_moments(const std::string& name);

 private:
  Variables parameters_;
  Variable learning_rate_;
  Variables state_;
};

/// Options of SGD.
struct SGDOptions {
  double learning_rate = 0.01;  ///< α at the beginning
  double momentum = 0;          ///< μ
  bool nesterov = false;        ///< look ahead along the velocity (Nesterov, 1983); needs momentum
  double weight_decay = 0;      ///< λ
};

/// Stochastic gradient descent:
///
///     g ← g + λ w;  v ← μ v + g;  w ← w - α v,  or with Nesterov's momentum  w ← w - α (g + μ v).
///
/// (Sutskever et al., On the importance of initialization and momentum in deep learning, 2013, in PyTorch's form.)
class SGD : public Optimizer {
 public:
  /// \throws ValueError for an option out of range, or no parameters.
  explicit SGD(Variables parameters, const SGDOptions& options = {});

 private:
  std::vector<Assignment> update(const Tensors& gradients) const override;

  bool nesterov_;
  bool decays_ = false;
  Variables velocities_;
  Formula decayed_;
  Formula velocity_;
  Formula lookahead_;
  Formula weight_;
};

/// Options of Adam.
struct AdamOptions {
  double learning_rate = 1e-3;  ///< α at the beginning
  double beta1 = 0.9;           ///< decay of the mean of gradients
  double beta2 = 0.999;         ///< decay of the mean of squared gradients
  double epsilon = 1e-8;        ///< added to the root, against division by 0
  double weight_decay = 0;      ///< λ, added to the gradient as λ w
};

/// Adam (Kingma and Ba, 2015): at step t
///
///     m ← β₁ m + (1 - β₁) g;  v ← β₂ v + (1 - β₂) g²;
///     w ← w - α m̂ / (√v̂ + ε)  with  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ).
class Adam : public Optimizer {
 public:
  /// \throws ValueError for an option out of range, or no parameters.
  explicit Adam(Variables parameters, const AdamOptions& options = {});

 private:
  std::vector<Assignment> update(const Tensors& gradients) const override;

  AdamOptions options_;
  Variable step_;
  Variables first_moments_;
  Variables second_moments_;
  Formula first_moment_;
  Formula second_moment_;
  Formula weight_;
};

/// α falling linearly from \p initial at step 0 to 0 at step \p steps, where it stays.
class LinearDecay {
 public:
  /// \throws ValueError when \p steps is less than 1.
  LinearDecay(double initial, std::int64_t steps);
  double operator()(std::int64_t step) const;  ///< α at \p step

 private:
  double initial_;
  std::int64_t steps_;
};

}  // namespace xgrad::nn
