#include "nn/initializers.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autograd/kernels/elementary.hpp"
#include "autograd/ops/linalg.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn {

void detail::draw_if_fresh(Variable& weight, const Initializer& initializer, random::Key key) {
  if (weight.is_fresh()) {
    const SourceScope scope(weight.read().node().location());
    weight = Variable(initializer(key, weight.shape(), weight.dtype()), weight.name());
  }
}

}  // namespace xgrad::nn

namespace xgrad::nn::init {

namespace {

void require_matrix(const Shape& shape) {
  if (shape.ndim() != 2) {
    raise<ShapeError>("initializer", phrase("a weight has shape (in, out), got {}", to_string(shape)));
  }
}

double fan_in(const Shape& shape) {
  require_matrix(shape);
  return static_cast<double>(shape[0]);
}

double mean_fan(const Shape& shape) {
  require_matrix(shape);
  return 0.5 * static_cast<double>(shape[0] + shape[1]);
}

Tensor uniform_of_variance(double variance, random::Key key, const Shape& shape, DType dtype) {
  const double limit = std::sqrt(3 * variance);  // a uniform number in ±a has variance a² / 3
  return random::uniform(key, shape, -limit, limit, dtype);
}

Tensor normal_of_variance(double variance, random::Key key, const Shape& shape, DType dtype) {
  return random::normal(key, shape, 0, std::sqrt(variance), dtype);
}

}  // namespace

Tensor glorot_uniform(random::Key key, const Shape& shape, DType dtype) {
  return uniform_of_variance(1 / mean_fan(shape), key, shape, dtype);
}
Tensor glorot_normal(random::Key key, const Shape& shape, DType dtype) {
  return normal_of_variance(1 / mean_fan(shape), key, shape, dtype);
}
Tensor he_uniform(random::Key key, const Shape& shape, DType dtype) {
  return uniform_of_variance(2 / fan_in(shape), key, shape, dtype);
}
Tensor he_normal(random::Key key, const Shape& shape, DType dtype) {
  return normal_of_variance(2 / fan_in(shape), key, shape, dtype);
}
Tensor lecun_uniform(random::Key key, const Shape& shape, DType dtype) {
  return uniform_of_variance(1 / fan_in(shape), key, shape, dtype);
}
Tensor lecun_normal(random::Key key, const Shape& shape, DType dtype) {
  return normal_of_variance(1 / fan_in(shape), key, shape, dtype);
}

Tensor zeros(random::Key, const Shape& shape, DType dtype) { return xgrad::zeros(shape, dtype); }
Tensor ones(random::Key, const Shape& shape, DType dtype) { return xgrad::ones(shape, dtype); }

Initializer constant(double value) {
  return [=](random::Key, const Shape& shape, DType dtype) { return full(shape, value, dtype); };
}

Initializer uniform(double low, double high) {
  return
      [=](random::Key key, const Shape& shape, DType dtype) { return random::uniform(key, shape, low, high, dtype); };
}

Initializer normal(double mean, double stddev) {
  return
      [=](random::Key key, const Shape& shape, DType dtype) { return random::normal(key, shape, mean, stddev, dtype); };
}

namespace {

// The x with erf(x) = p: Winitzki's approximation (2008), good to 0.2 %, then steps of Halley's method, each of which
// triples the number of right digits.
Scalar inverse_erf(Scalar p) {
  constexpr double a = 0.147;
  const Scalar logarithm = log1p(-p * p);
  const Scalar b = 2 / (std::numbers::pi * a) + 0.5 * logarithm;
  Scalar x = sign(p) * sqrt(sqrt(b * b - logarithm / a) - b);
  for (int step = 0; step < 2; ++step) {
    const Scalar newton = (erf(x) - p) * exp(x * x) / (2 * std::numbers::inv_sqrtpi);
    x = x - newton / (1 + x * newton);
  }
  return x;
}

}  // namespace

Initializer truncated_normal(double mean, double stddev, double low, double high, std::source_location where) {
  const double first = kernels::elementary(kernels::Opcode::erf, low / std::numbers::sqrt2);
  const double last = kernels::elementary(kernels::Opcode::erf, high / std::numbers::sqrt2);
  located(where, [&] {
    if (!(stddev >= 0 && first < last)) {
      raise<ValueError>(
          "truncated_normal",
          phrase("takes stddev ≥ 0 and low < high, not both far out, got {}, {} and {}", stddev, low, high));
    }
  });
  const Formula of_uniform(
      [=](Scalar u) {
        const Scalar z = std::numbers::sqrt2 * inverse_erf(first + (last - first) * u);
        return mean + stddev * minimum(maximum(z, low), high);
      },
      "truncated_normal");
  return [=](random::Key key, const Shape& shape, DType dtype) {
    return cast(map(of_uniform, {random::uniform(key, shape, 0, 1, DType::float64)}), dtype);
  };
}

Initializer orthogonal(double gain) {
  return [=](random::Key key, const Shape& shape, DType dtype) {
    require_matrix(shape);
    const std::int64_t rows = std::max(shape[0], shape[1]);
    const std::int64_t columns = std::min(shape[0], shape[1]);
    const auto [q, r] = linalg::qr(random::normal(key, {rows, columns}, 0, 1, DType::float64));
    const Tensor upright = map([=](Scalar x, Scalar pivot) { return gain * where(pivot < 0, -x, x); }, q, diagonal(r));
    return cast(shape[0] == rows ? upright : transpose(upright), dtype);
  };
}

}  // namespace xgrad::nn::init
