#pragma once

#include <functional>

#include "autograd/random.hpp"
#include "autograd/tensor.hpp"

/// \file
/// How weights begin. A weight of shape (in, out) has fan-in `in` and fan-out `out`.

namespace xgrad::nn {

/// Draws the initial value of a weight of a given shape.
using Initializer = std::function<Tensor(random::Key key, const Shape& shape)>;

/// Uniform in ±√(6 / (fan_in + fan_out)): keeps the variance of tanh layers (Glorot and Bengio, 2010).
Tensor glorot_uniform(random::Key key, const Shape& shape);
/// Normal of variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010).
Tensor glorot_normal(random::Key key, const Shape& shape);
/// Uniform in ±√(6 / fan_in): keeps the variance of ReLU layers (He et al., 2015).
Tensor he_uniform(random::Key key, const Shape& shape);
/// Normal of variance 2 / fan_in (He et al., 2015).
Tensor he_normal(random::Key key, const Shape& shape);

}  // namespace xgrad::nn
