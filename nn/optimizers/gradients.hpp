#pragma once

#include <cstdint>
#include <optional>
#include <source_location>

#include "autograd/graph/tensor.hpp"
#include "autograd/graph/variable.hpp"
#include "nn/layer.hpp"

/// \file
/// What is done to gradients between computing them and taking a step: clipping, and adding them up over batches.

namespace xgrad::nn {

/// What becomes of a step whose gradients are NaN or infinite.
enum class NotFinite : std::uint8_t {
  error,  ///< a ValueError that names the parameter, before anything is written
  skip,   ///< nothing changes: no parameter, no moment, no number of steps
  pass    ///< it is taken: the gradients are not looked at
};

/// Limits to the gradients of a step; what is left out does not limit. The value is limited first: then infinite elements
/// are at the limit, and NaN stays NaN.
struct Clipping {
  std::optional<double> norm = {};           ///< of all gradients together, as clip_by_global_norm does
  std::optional<double> value = {};          ///< of every element, as clip_by_value does
  std::optional<NotFinite> not_finite = {};  ///< as it says; left out, an error with a norm, and not looked at without
};

/// Every element limited to [-limit, limit].
/// \throws ValueError for a limit that is not positive.
Tensors clip_by_value(const Tensors& gradients, double limit,
                      std::source_location where = std::source_location::current());

/// √Σ g² over all elements of all gradients, a float64 tensor of shape (). It is right for gradients of any size; NaN or
/// infinite only when one of them is.
/// \throws ValueError for an empty list.
Tensor global_norm(const Tensors& gradients, std::source_location where = std::source_location::current());

/// All gradients scaled by min(1, max_norm / (n + 10⁻⁶)), where n is their global norm, so that afterwards it is at most
/// max_norm (Pascanu et al., On the difficulty of training recurrent neural networks, 2013; the 10⁻⁶ is PyTorch's).
/// \throws ValueError for an empty list or a norm that is not positive.
Tensors clip_by_global_norm(const Tensors& gradients, double max_norm,
                            std::source_location where = std::source_location::current());

namespace detail {

/// The gradients of a step, limited.
struct Clipped {
  Tensors gradients;
  Tensor finite;  ///< boolean (): whether all are; undefined when nobody asks
};

/// Limited as \p clipping says; errors name the \p parameters.
Clipped clipped(const Tensors& gradients, const Clipping& clipping, const Variables& parameters,
                const std::source_location& where);

/// \p x when all \p gradients are finite; else a NotFiniteError, when it is computed.
Tensor when_gradients_are_finite(const Tensor& x, const Tensors& gradients, const Variables& parameters,
                                 const std::source_location& where);

}  // namespace detail

/// Adds up the gradients of several batches, for one step as if they were one large batch:
///
///     nn::GradientAccumulator gradients(model.parameters());
///     for (const auto& [images, labels] : parts) {
///       gradients.add(nn::cross_entropy(model(images), labels), labels.size());   // a mean over so many samples
///     }
///     adam.step(gradients.mean());
///     gradients.reset();
class GradientAccumulator {
 public:
  /// \throws ValueError for no parameters, or one given twice.
  /// \throws DTypeError for a parameter that is not floating.
  explicit GradientAccumulator(const Variables& parameters,
                               std::source_location where = std::source_location::current());

  /// Adds \p weight times the gradient of \p loss with respect to every parameter. The weight of a mean is the number of
  /// samples it is over: a smaller last batch then counts less, as in one large batch.
  /// \throws ValueError for a weight that is not above 0.
  /// \throws GradientError when the loss does not depend on a parameter.
  void add(const Tensor& loss, double weight = 1, std::source_location where = std::source_location::current());
  /// The same for gradients that are known, one per parameter.
  void add_gradients(const Tensors& gradients, double weight,
                     std::source_location where = std::source_location::current());
  /// The same with a weight that is computed, float64 (). It is not looked at.
  void add_gradients(const Tensors& gradients, const Tensor& weight,
                     std::source_location where = std::source_location::current());
  /// Forgets what was added.
  void reset();

  Tensors sum() const;   ///< Σ weight · g over what was added, one per parameter
  Tensors mean() const;  ///< the same, divided by the sum of the weights; NaN when nothing was added
  std::vector<NamedVariable> named_variables() const;  ///< the sums and the count, by their names
  /// Assigns the elements of all named_variables(), all or nothing.
  /// \throws ValueError for names that are missing or too many. \throws ShapeError, DTypeError for what does not fit.
  void load_state(const State& state, std::source_location where = std::source_location::current()) const;

  const Variable& count() const { return count_; }  ///< the sum of the weights, float64
  const Variables& sums() const { return sums_; }   ///< where the sums are kept, one per parameter

 private:
  Variables parameters_;
  Variables sums_;
  Variable count_;
};

}  // namespace xgrad::nn
