#include "nn/initializers.hpp"

#include <cmath>

#include <fmt/format.h>

#include "autograd/error.hpp"

namespace xgrad::nn {

namespace {

struct Fans {
  double in, out;
};

Fans fans(const Shape& shape) {
  if (shape.ndim() != 2) {
    raise<ShapeError>("initializer", fmt::format("a weight has shape (in, out), got {}", to_string(shape)));
  }
  return {static_cast<double>(shape[0]), static_cast<double>(shape[1])};
}

Tensor symmetric_uniform(random::Key key, const Shape& shape, double variance) {
  const double limit = std::sqrt(3 * variance);  // a uniform number in ±a has variance a² / 3
  return random::uniform(key, shape, -limit, limit);
}

double glorot_variance(const Fans& fan) { return 2 / (fan.in + fan.out); }
double he_variance(const Fans& fan) { return 2 / fan.in; }

}  // namespace

Tensor glorot_uniform(random::Key key, const Shape& shape) {
  return symmetric_uniform(key, shape, glorot_variance(fans(shape)));
}
Tensor glorot_normal(random::Key key, const Shape& shape) {
  return random::normal(key, shape, 0, std::sqrt(glorot_variance(fans(shape))));
}
Tensor he_uniform(random::Key key, const Shape& shape) {
  return symmetric_uniform(key, shape, he_variance(fans(shape)));
}
Tensor he_normal(random::Key key, const Shape& shape) {
  return random::normal(key, shape, 0, std::sqrt(he_variance(fans(shape))));
}

}  // namespace xgrad::nn
