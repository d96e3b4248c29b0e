#pragma once

#include "autograd/formula/formula.hpp"
#include "nn/optimizers/optimizer.hpp"

/// \file
/// Adam and its kin, which divide a mean of gradients by a measure of their size. In the formulas w is a parameter, g
/// its gradient, α the learning rate, λ the weight decay and t the number of the step, from 1; with the option maximize,
/// g is the negative gradient. Weight decay is g ← g + λ w, or where it is decoupled, w ← w - α λ w before the step
/// (Loshchilov and Hutter, Decoupled weight decay regularization, 2019).
///
/// Squares are taken in the dtype of the parameter. Of a float32 gradient beyond 1.8e19 the square is infinite, and that
/// element of the parameter does not move any more, as in PyTorch; below 1e-23 the square is 0. Clip what gets so large.

namespace xgrad::nn {

/// Options of Adam.
struct AdamOptions {
  double learning_rate = 1e-3;          ///< α at the beginning
  double beta1 = 0.9;                   ///< decay of the mean of gradients, at the beginning
  double beta2 = 0.999;                 ///< decay of the mean of squared gradients
  double epsilon = 1e-8;                ///< added to the root, against division by 0
  double weight_decay = 0;              ///< λ
  bool decoupled_weight_decay = false;  ///< as AdamW has it
  bool amsgrad = false;                 ///< divide by the largest v̂ so far (Reddi et al., 2018)
  bool maximize = false;                ///< climb instead of descend
};

/// Adam (Kingma and Ba, Adam: a method for stochastic optimization, 2015):
///
///     m ← β₁ m + (1 - β₁) g;  v ← β₂ v + (1 - β₂) g²;
///     w ← w - α m̂ / (√v̂ + ε)  with  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ).
///
/// AMSGrad takes the largest v so far in place of v (Reddi et al., On the convergence of Adam and beyond, 2018). State:
/// `step`, then `0.weight.first_moment` and `0.weight.second_moment` of all parameters, and with AMSGrad
/// `0.weight.largest_second_moment`.
class Adam : public Optimizer {
 public:
  /// \throws ValueError for an option out of range, no parameters, or one given twice.
  explicit Adam(const Parameters& parameters, const AdamOptions& options = {},
                std::source_location where = std::source_location::current());

 protected:
  /// The same, with \p name in errors.
  Adam(std::string_view name, const Parameters& parameters, const AdamOptions& options,
       const std::source_location& where);

 private:
  void update(const Step& step, std::vector<Assignment>& updates) const override;

  Variables first_moments_;
  Variables second_moments_;
  Variables largest_second_moments_;
  Formula second_moment_;
  Formula correction2_;
  Formula weight_;
};

/// Options of AdamW.
struct AdamWOptions {
  double learning_rate = 1e-3;  ///< α at the beginning
  double beta1 = 0.9;           ///< decay of the mean of gradients, at the beginning
  double beta2 = 0.999;         ///< decay of the mean of squared gradients
  double epsilon = 1e-8;        ///< added to the root, against division by 0
  double weight_decay = 0.01;   ///< λ
  bool amsgrad = false;         ///< divide by the largest v̂ so far (Reddi et al., 2018)
  bool maximize = false;        ///< climb instead of descend
};

/// Adam with decoupled weight decay (Loshchilov and Hutter, Decoupled weight decay regularization, 2019):
///
///     w ← w - α λ w - α m̂ / (√v̂ + ε).
class AdamW : public Adam {
 public:
  /// \throws ValueError for an option out of range, no parameters, or one given twice.
  explicit AdamW(const Parameters& parameters, const AdamWOptions& options = {},
                 std::source_location where = std::source_location::current());
};

/// Options of Adamax.
struct AdamaxOptions {
  double learning_rate = 2e-3;  ///< α at the beginning
  double beta1 = 0.9;           ///< decay of the mean of gradients, at the beginning
  double beta2 = 0.999;         ///< decay of the largest gradient
  double epsilon = 1e-8;        ///< added to |g|, against division by 0
  double weight_decay = 0;      ///< λ
  bool maximize = false;        ///< climb instead of descend
};

/// Adamax, Adam with the maximum norm (Kingma and Ba, Adam: a method for stochastic optimization, 2015, section 7.1):
///
///     m ← β₁ m + (1 - β₁) g;  u ← max(β₂ u, |g| + ε);  w ← w - α / (1 - β₁ᵗ) m / u.
///
/// State: `step`, `0.weight.first_moment`, `0.weight.largest_gradient`.
class Adamax : public Optimizer {
 public:
  /// \throws ValueError for an option out of range, no parameters, or one given twice.
  explicit Adamax(const Parameters& parameters, const AdamaxOptions& options = {},
                  std::source_location where = std::source_location::current());

 private:
  void update(const Step& step, std::vector<Assignment>& updates) const override;

  Variables first_moments_;
  Variables largest_gradients_;
  Formula largest_gradient_;
};

/// Options of NAdam.
struct NAdamOptions {
  double learning_rate = 2e-3;          ///< α at the beginning
  double beta1 = 0.9;                   ///< decay of the mean of gradients, at the beginning
  double beta2 = 0.999;                 ///< decay of the mean of squared gradients
  double epsilon = 1e-8;                ///< added to the root, against division by 0
  double weight_decay = 0;              ///< λ
  double momentum_decay = 4e-3;         ///< ψ, how fast μₜ rises to β₁
  bool decoupled_weight_decay = false;  ///< as AdamW has it
  bool maximize = false;                ///< climb instead of descend
};

/// NAdam (Dozat, Incorporating Nesterov momentum into Adam, 2016): m and v as in Adam,
///
///     w ← w - α ((1 - μₜ) / (1 - Π μ) g + μₜ₊₁ / (1 - μₜ₊₁ Π μ) m) / (√v̂ + ε),
///     where μₜ = β₁ (1 - 0.96^(t ψ) / 2), and Π μ = μ₁ ⋯ μₜ.
///
/// State: `step`, `momentum_product` (one per group: `group_1.momentum_product`), `0.weight.first_moment`,
/// `0.weight.second_moment`.
class NAdam : public Optimizer {
 public:
  /// \throws ValueError for an option out of range, no parameters, or one given twice.
  explicit NAdam(const Parameters& parameters, const NAdamOptions& options = {},
                 std::source_location where = std::source_location::current());

 private:
  void update(const Step& step, std::vector<Assignment>& updates) const override;

  Variables momentum_products_;
  Variables first_moments_;
  Variables second_moments_;
  Formula momentum_at_;
  Formula second_moment_;
  Formula correction2_;
  Formula weight_;
};

/// Options of RAdam.
struct RAdamOptions {
  double learning_rate = 1e-3;          ///< α at the beginning
  double beta1 = 0.9;                   ///< decay of the mean of gradients, at the beginning
  double beta2 = 0.999;                 ///< decay of the mean of squared gradients
  double epsilon = 1e-8;                ///< added to the root, against division by 0
  double weight_decay = 0;              ///< λ
  bool decoupled_weight_decay = false;  ///< as AdamW has it
  bool maximize = false;                ///< climb instead of descend
};

/// RAdam (Liu et al., On the variance of the adaptive learning rate and beyond, 2020): m and v as in Adam,
///
///     w ← w - α m̂ r √(1 - β₂ᵗ) / (√v + ε)  where ρₜ > 5, else  w ← w - α m̂,
///     with ρ = 2 / (1 - β₂) - 1,  ρₜ = ρ - 2 t β₂ᵗ / (1 - β₂ᵗ),
///     r² = (ρₜ - 4) (ρₜ - 2) ρ / ((ρ - 4) (ρ - 2) ρₜ).
///
/// State: `step`, `0.weight.first_moment`, `0.weight.second_moment`.
class RAdam : public Optimizer {
 public:
  /// \throws ValueError for an option out of range, no parameters, or one given twice.
  explicit RAdam(const Parameters& parameters, const RAdamOptions& options = {},
                 std::source_location where = std::source_location::current());

 private:
  void update(const Step& step, std::vector<Assignment>& updates) const override;

  Variables first_moments_;
  Variables second_moments_;
  Formula second_moment_;
  Formula rectification_;
  Formula weight_;
};

}  // namespace xgrad::nn
