#pragma once

#include <cstdint>

#include "nn/layer.hpp"

/// \file
/// Samples of any shape as rows.

namespace xgrad::nn {

/// All axes from one on made one: (batch, 28, 28) becomes (batch, 784).
struct Flatten : Layer<Flatten> {
  explicit Flatten(std::int64_t from = 1) : first_axis(from) {}  ///< from this axis on
  std::int64_t first_axis;                                       ///< the axes before it stay; negative: from the end
  static constexpr auto members = fields();                      ///< nothing to train

  /// The elements of \p x in row-major order. \throws ShapeError when \p x has fewer axes than stay.
  Tensor operator()(const Operand& x) const;
};

}  // namespace xgrad::nn
