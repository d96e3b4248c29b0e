#pragma once

#include <array>
#include <optional>
#include <source_location>

#include "nn/initializers.hpp"
#include "nn/layer.hpp"

/// \file
/// The fully connected layer.

namespace xgrad::nn {

/// Options of a Dense layer.
struct DenseOptions {
  bool bias = true;                                ///< whether b is added
  Initializer initializer = init::glorot_uniform;  ///< of the weight; the bias begins at 0
  std::optional<random::Key> key = {};  ///< of the initial weight; left out, the layer's place in a Sequential tells it
  DType dtype = DType::float32;         ///< of weight and bias
};

/// z = x W + b, for x of shape (.., in), W of shape (in, out) and b of shape (out,).
class Dense : public Layer<Dense> {
 public:
  /// \throws ValueError when a size is less than 1.
  Dense(std::int64_t in, std::int64_t out, DenseOptions options = {},
        std::source_location where = std::source_location::current());

  /// \throws ShapeError when the last axis of \p x is not of size in.
  /// \throws DTypeError when \p x is not of the dtype of the weight.
  Tensor operator()(const Operand& x) const;

  /// Draws the weight anew from its initialiser and sets the bias to 0.
  void draw(random::Key key);
  /// For Sequential: draws the weight by the layer's place, unless a key was given, or somebody may have seen it.
  void place(random::Key key);

  const Variable& weight() const { return weight_; }             ///< W, (in, out)
  const std::optional<Variable>& bias() const { return bias_; }  ///< b, (out,)

 private:
  Variable weight_;
  std::optional<Variable> bias_;
  Initializer initializer_;
  bool has_key_;

 public:
  /// The parameters' paths, `weight` and `bias`.
  static constexpr auto members = fields("weight", &Dense::weight_, "bias", &Dense::bias_);
  /// torch.nn.Linear keeps its weight as (out, in).
  static constexpr std::array torch_names = {TorchName{"weight", "weight", TorchLayout::transposed}};
};

}  // namespace xgrad::nn
