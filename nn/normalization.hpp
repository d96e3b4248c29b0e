#pragma once

#include <cstdint>
#include <optional>
#include <source_location>

#include "autograd/formula/formula.hpp"
#include "nn/layer.hpp"

/// \file
/// Layers that give their inputs mean 0 and variance 1, then scale and shift them by what they have learnt.

namespace xgrad::nn {

/// (x - m) / √(v + epsilon) · scale + shift with mean m and variance v (over N) along \p axes (Ba et al., 2016; with
/// the axes of the batch, Ioffe and Szegedy, 2015). \p scale and \p shift broadcast to \p x.
/// \throws ShapeError when they do not.
Tensor standardize(const Operand& x, const Axes& axes, const Operand& scale = 1.0, const Operand& shift = 0.0,
                   double epsilon = 1e-5);

/// Options of a LayerNorm.
struct LayerNormOptions {
  double epsilon = 1e-5;         ///< added to the variance, against division by 0
  bool affine = true;            ///< whether there are weight and bias
  DType dtype = DType::float32;  ///< of weight and bias
};

/// Each sample by the mean and variance of its own features (Ba et al., 2016):
///
///     (x - m) / √(v + epsilon) · weight + bias,  m and v over the last axes.
class LayerNorm : public Layer<LayerNorm> {
 public:
  /// For inputs whose last axis is of size \p features.
  /// \throws ValueError when that is less than 1, or epsilon below 0.
  explicit LayerNorm(std::int64_t features, LayerNormOptions options = {},
                     std::source_location where = std::source_location::current())
      : LayerNorm(Shape{features}, options, where) {}
  /// For inputs (.., *shape), normalised over the axes of \p shape.
  /// \throws ValueError when it has no axes or a size less than 1, or epsilon is below 0.
  explicit LayerNorm(const Shape& shape, LayerNormOptions options = {},
                     std::source_location where = std::source_location::current());

  /// \throws ShapeError when the last axes of \p x are not the shape of the layer.
  Tensor operator()(const Operand& x) const;

  /// Sets the weight to 1 and the bias to 0.
  void draw(random::Key key);

  const std::optional<Variable>& weight() const { return weight_; }  ///< begins at 1, of the shape of the layer
  const std::optional<Variable>& bias() const { return bias_; }      ///< begins at 0, of the shape of the layer

 private:
  Shape shape_;
  double epsilon_;
  std::optional<Variable> weight_;
  std::optional<Variable> bias_;

 public:
  /// The parameters' paths, `weight` and `bias`.
  static constexpr auto members = fields("weight", &LayerNorm::weight_, "bias", &LayerNorm::bias_);
};

/// Options of a BatchNorm.
struct BatchNormOptions {
  double momentum = 0.1;         ///< weight of the newest batch in the running statistics
  double epsilon = 1e-5;         ///< added to the variance, against division by 0
  bool affine = true;            ///< whether there are weight and bias
  std::int64_t axis = -1;        ///< of the features; statistics are over all other axes
  DType dtype = DType::float32;  ///< of all variables
};

/// Each feature by its mean and variance over the batch (Ioffe and Szegedy, 2015):
///
///     (x - m) / √(v + epsilon) · weight + bias.
///
/// In training m and v are those of the batch, and the running statistics move towards them:
///
///     r ← (1 - momentum) r + momentum m;  s ← (1 - momentum) s + momentum v N / (N - 1)
///
/// with N elements per feature. Of a batch that is spread over ranks, it takes m and v over all of it where the mode is
/// Mode::synchronized, as PyTorch's SyncBatchNorm does, or else over the part of each rank. In inference m = r and v = s. As it assigns to variables, a training call can be
/// neither mapped by vmap nor repeated without effect.
class BatchNorm : public Layer<BatchNorm> {
 public:
  /// \throws ValueError when \p features is less than 1 or an option is out of range.
  explicit BatchNorm(std::int64_t features, BatchNormOptions options = {},
                     std::source_location where = std::source_location::current());

  /// \throws ShapeError when the axis of the features of \p x is not of their number.
  /// \throws ValueError in training with less than two elements per feature, which have no variance.
  Tensor operator()(const Operand& x, const Mode& mode = {}) const;

  /// Sets weight and running variance to 1, bias, running mean and the number of batches to 0.
  void draw(random::Key key);

  const std::optional<Variable>& weight() const { return weight_; }        ///< begins at 1, (features,)
  const std::optional<Variable>& bias() const { return bias_; }            ///< begins at 0, (features,)
  const Statistic& running_mean() const { return running_mean_; }          ///< r, begins at 0, (features,)
  const Statistic& running_variance() const { return running_variance_; }  ///< s, begins at 1, (features,)
  const Statistic& batch_count() const { return batch_count_; }            ///< seen in training, int64 ()

 private:
  double unbiased_factor(const Shape& input) const;
  void update_running(const Tensor& mean, const Tensor& variance, const Operand& variance_gain) const;

  BatchNormOptions options_;
  std::optional<Variable> weight_;
  std::optional<Variable> bias_;
  Statistic running_mean_;
  Statistic running_variance_;
  Statistic batch_count_;  // nothing here depends on it: it comes from PyTorch, and goes there

 public:
  /// The variables' paths, as torch.nn names them.
  static constexpr auto members =
      fields("weight", &BatchNorm::weight_, "bias", &BatchNorm::bias_, "running_mean", &BatchNorm::running_mean_,
             "running_var", &BatchNorm::running_variance_, "num_batches_tracked", &BatchNorm::batch_count_);
};

}  // namespace xgrad::nn
