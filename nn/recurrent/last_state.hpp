#pragma once

#include <utility>

#include "nn/layer.hpp"
#include "nn/recurrent/lstm.hpp"

/// \file
/// A recurrent layer in front of layers that take one vector for a whole sequence.

namespace xgrad::nn {

/// h after the last step of a recurrent layer, (batch, hidden_size): `Sequential(LastState(GRU(8, 16)), Dense(16, 2))`.
template <class L>
class LastState : public Layer<LastState<L>> {
 public:
  explicit LastState(L layer) : layer_(std::move(layer)) {}  ///< of \p layer

  /// \throws Error as the layer does.
  Tensor operator()(const Operand& x) const { return detail::hidden_of(layer_(x).state); }

  const L& layer() const { return layer_; }  ///< whose state it is

 private:
  L layer_;

 public:
  /// Without a name: the parameters' paths are those of the layer.
  static constexpr auto members = fields("", &LastState::layer_);
};

}  // namespace xgrad::nn
