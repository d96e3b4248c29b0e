#pragma once

#include <source_location>

#include "autograd/graph/variable.hpp"
#include "nn/layer.hpp"

/// \file
/// Averages of weights over training.

namespace xgrad::nn {

/// Options of ExponentialMovingAverage.
struct MovingAverageOptions {
  double decay = 0.999;          ///< d, at the beginning
  bool bias_correction = false;  ///< whether early weights count as much as their number says
};

/// Exponential moving averages of the weights of a model, which often do better than the weights themselves (Polyak and
/// Juditsky, Acceleration of stochastic approximation by averaging, 1992): at update t
///
///     a ← a + c (w - a),  c = 1 - d, but 1 at the first update, as PyTorch does it;
///     with bias correction  c = (1 - d) / (1 - dᵗ), which makes a the mean of all weights with weights dᵗ⁻ⁱ.
///
///     nn::ExponentialMovingAverage average(model.parameters());
///     for (...) {
///       adam.minimize(loss);
///       average.update();
///     }
///     {
///       const auto swapped = average.swap();   // the model has the averages now
///       evaluate_model(model);
///     }                                        // and here its weights again
class ExponentialMovingAverage {
 public:
  /// The averages begin as the weights are.
  /// \throws ValueError for no weights, one given twice, or a decay outside [0, 1).
  /// \throws DTypeError for a weight that is not floating.
  explicit ExponentialMovingAverage(const Variables& weights, const MovingAverageOptions& options = {},
                                    std::source_location where = std::source_location::current());
  ExponentialMovingAverage(const ExponentialMovingAverage&) = delete;
  ExponentialMovingAverage& operator=(const ExponentialMovingAverage&) = delete;

  /// Takes the weights into the averages, in one assignment.
  /// \throws ValueError while they are swapped.
  void update(std::source_location where = std::source_location::current());

  /// While it lives, the weights are the averages, and the averages the weights.
  class [[nodiscard]] Swapped {
   public:
    Swapped(const Swapped&) = delete;
    Swapped& operator=(const Swapped&) = delete;
    ~Swapped();  ///< puts the weights back

   private:
    friend class ExponentialMovingAverage;
    explicit Swapped(ExponentialMovingAverage& average);
    ExponentialMovingAverage& average_;
  };

  /// Puts the averages in place of the weights until what it gives is destroyed, also by an exception.
  /// \throws ValueError while they are swapped.
  Swapped swap(std::source_location where = std::source_location::current());

  std::vector<NamedVariable> named_variables() const;  ///< the averages, the decay and the count, by their names
  /// Assigns the elements of all named_variables(), all or nothing.
  /// \throws ValueError for names that are missing or too many, and while the weights are swapped. \throws ShapeError,
  ///         DTypeError for what does not fit.
  void load_state(const State& state, std::source_location where = std::source_location::current()) const;

  const Variables& averages() const { return averages_; }    ///< a, in the order of the weights
  const Variable& decay() const { return decay_; }           ///< d, float64: assign to change it
  bool bias_correction() const { return bias_correction_; }  ///< as in the options
  const Variable& count() const { return count_; }           ///< number of updates, float64

 private:
  void require_not_swapped(const std::source_location& where) const;
  void exchange() const;

  bool bias_correction_;
  bool swapped_ = false;
  Variables weights_;
  Variables averages_;
  Variable decay_;
  Variable count_;
};

}  // namespace xgrad::nn
