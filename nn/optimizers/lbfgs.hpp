#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <source_location>
#include <string>
#include <utility>

#include "autograd/graph/tensor.hpp"
#include "autograd/graph/variable.hpp"
#include "nn/layer.hpp"

/// \file
/// L-BFGS, for losses that are computed from all data at once.

namespace xgrad::nn {

/// Options of LBFGS.
struct LBFGSOptions {
  double learning_rate = 1;          ///< α, the first step that is tried along a direction
  int max_iterations = 20;           ///< per call of minimize
  int max_evaluations = 0;           ///< of the loss per call of minimize; 0: 5/4 of max_iterations
  double gradient_tolerance = 1e-7;  ///< ends when no element of the gradient is larger
  double change_tolerance = 1e-9;    ///< ends when no parameter, or the loss, changes by more
  int history_size = 100;            ///< k, how many changes of the gradient are remembered
  bool line_search = true;           ///< look for a step that meets the strong Wolfe conditions; else α is the step
};

/// What LBFGS::minimize did.
struct LBFGSResult {
  double initial_loss = 0;  ///< at the beginning
  double loss = 0;          ///< where the parameters are now
  std::string stopped;      ///< why it ended, such as `no element of the gradient is above 1e-07`
};

/// Limited-memory BFGS (Nocedal, Updating quasi-Newton matrices with limited storage, 1980; Liu and Nocedal, On the
/// limited memory BFGS method for large scale optimization, 1989): a quasi-Newton method, whose direction d = -H g has
/// an inverse Hessian H made of the last k changes of the parameters, s, and of the gradient, y, by the two-loop
/// recursion, from H₀ = sᵀy / yᵀy. The step t along d meets the strong Wolfe conditions
///
///     f(w + t d) ≤ f(w) + c₁ t gᵀd  and  |∇f(w + t d)ᵀ d| ≤ c₂ |gᵀd|,  c₁ = 10⁻⁴, c₂ = 0.9
///
/// (Nocedal and Wright, Numerical optimization, 2006, algorithms 3.5 and 3.6, with PyTorch's choices of trial steps).
///
/// Unlike other optimisers it decides from values of the loss: it calls a function again and again, and cannot be part
/// of a recorded step. The function can be a compiled one.
///
///     nn::LBFGS lbfgs({w});
///     for (int i = 0; i < 5; ++i) {
///       lbfgs.minimize([&] { return rosenbrock(w); });
///     }
///
/// What it remembers is kept in float64.
class LBFGS {
 public:
  /// Computes the loss, a tensor of one element, from the content of the parameters.
  using Loss = std::function<Tensor()>;
  /// Computes the loss and its gradient with respect to each parameter.
  using ValueAndGradient = std::function<std::pair<Tensor, Tensors>()>;

  /// \throws ValueError for an option out of range, no parameters, or one given twice.
  /// \throws DTypeError for a parameter that is not floating.
  explicit LBFGS(const Variables& parameters, const LBFGSOptions& options = {},
                 std::source_location where = std::source_location::current());

  /// Up to max_iterations iterations; another call goes on where this one ends. When something fails, nothing changes.
  ///
  /// A line search turns back where the loss or its gradient is NaN or infinite. Without one, such a step is an error:
  /// the parameters are then at the best point that was seen, and what was remembered is forgotten.
  /// \throws ValueError when the loss or its gradient is not finite where it begins, or where a step without line search
  ///         leads; for a learning rate that is not above 0.
  /// \throws GradientError when the loss does not depend on a parameter.
  LBFGSResult minimize(const Loss& loss, std::source_location where = std::source_location::current());
  /// The same, with given gradients.
  /// \throws ValueError when there are more or fewer of them than parameters.
  /// \throws ShapeError when one is not of the shape of its parameter.
  /// \throws DTypeError when one is not of the dtype of its parameter.
  LBFGSResult minimize(const ValueAndGradient& value_and_gradient,
                       std::source_location where = std::source_location::current());

  const Variables& parameters() const { return parameters_; }       ///< what it trains, in the order given
  const Variable& learning_rate() const { return learning_rate_; }  ///< α, float64: assign to change it
  std::int64_t iterations() const { return memory_.iterations; }    ///< over all calls of minimize
  std::int64_t evaluations() const { return memory_.evaluations; }  ///< of the loss, over all calls of minimize
  void reset() { memory_ = {}; }                                    ///< forgets everything, as if newly made

  /// What it remembers, and the learning rate: with that and the parameters another one goes on just as this one would.
  State state() const;
  /// Takes what state() gave, all or nothing. \throws ValueError for names that are missing or too many.
  /// \throws ShapeError, DTypeError for arrays that are not those of its parameters.
  void load_state(const State& state, std::source_location where = std::source_location::current());

 private:
  struct Change {
    Tensor gradient;    // y
    Tensor parameters;  // s
    double curvature;   // yᵀs
  };
  struct Memory {
    std::int64_t evaluations = 0;
    std::int64_t iterations = 0;
    Tensor direction = {};          // d of the last iteration
    double step = 0;                // t of the last iteration
    Tensor previous_gradient = {};  // g at its beginning
    double scale = 1;               // H₀
    std::deque<Change> changes = {};
  };
  struct Evaluation {
    double loss;             // infinite where it or the gradient is not finite
    Tensor gradient;         // flat
    std::string not_finite;  // what is not; empty where all is
  };
  // The end of one call.
  struct End {
    LBFGSResult result;
    std::string failure;  // why it is an error, if it is one
  };
  using Evaluate = std::function<Evaluation()>;

  End run(const Evaluate& evaluate, Memory& memory) const;
  std::string reason_to_stop(const Evaluation& now, double previous_loss, std::int64_t evaluations,
                             double change) const;
  void remember_change(const Tensor& gradient, Memory& memory) const;
  Evaluation search(const Evaluate& evaluate, const Evaluation& start, double slope, Memory& memory) const;
  Tensor flat_parameters() const;
  void assign_flat(const Tensor& flat) const;

  Variables parameters_;
  LBFGSOptions options_;
  Variable learning_rate_;
  Memory memory_;
};

}  // namespace xgrad::nn
