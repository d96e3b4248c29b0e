#include "autograd/random.hpp"

#include <cmath>

#include <fmt/format.h>

#include "autograd/kernels/kernels.hpp"
#include "autograd/operation.hpp"
#include "autograd/ops.hpp"

namespace xgrad::random {

namespace {

template <bool normal>
struct Draw {
  static constexpr std::string_view name = normal ? "random_normal" : "random_uniform";
  static constexpr bool stops_gradient = true;
  std::int64_t key;
  Spec spec;
  static constexpr auto attributes = fields("key", &Draw::key);
  static constexpr bool total = true;
  friend bool operator==(const Draw&, const Draw&) = default;

  Spec infer(Inputs) const {
    if (!is_floating(spec.dtype)) {
      raise<DTypeError>(name, fmt::format("it makes floating numbers, not {}", to_string(spec.dtype)));
    }
    require_sizes(name, spec.shape);
    return spec;
  }
  void eval(ConstViews, Views out) const {
    const auto draw = normal ? kernels::random_normal : kernels::random_uniform;
    draw(spec.dtype, static_cast<std::uint64_t>(key), out[0].data, out[0].size());
  }
};

template <bool normal>
Tensor draw(Key key, const Shape& shape, DType dtype) {
  return apply_op(Draw<normal>{static_cast<std::int64_t>(key.state()), {shape, dtype}}, Inputs());
}

}  // namespace

Key Key::fold(std::uint64_t data) const { return Key(kernels::random_fold(state_, data)); }

Tensor uniform(Key key, const Shape& shape, double low, double high, DType dtype, std::source_location where) {
  const SourceScope scope(where);
  if (!(low <= high)) {
    located(where, [&] {
      raise<ValueError>("random_uniform", fmt::format("low is {}, high {}; low must not be above high", low, high));
    });
  }
  // Rounding could reach high, which is excluded.
  const double last = dtype == DType::float32
                          ? static_cast<double>(std::nextafter(static_cast<float>(high), static_cast<float>(low)))
                          : std::nextafter(high, low);
  return map([=](Scalar u) { return minimum(low + (high - low) * u, last); }, draw<false>(key, shape, dtype));
}

Tensor normal(Key key, const Shape& shape, double mean, double stddev, DType dtype, std::source_location where) {
  const SourceScope scope(where);
  return map([=](Scalar z) { return mean + stddev * z; }, draw<true>(key, shape, dtype));
}

Tensor bernoulli(Key key, double p, const Shape& shape, std::source_location where) {
  const SourceScope scope(where);
  if (!(p >= 0 && p <= 1)) {
    located(where, [&] { raise<ValueError>("bernoulli", fmt::format("a probability is in [0, 1], got {}", p)); });
  }
  return draw<false>(key, shape, DType::float64) < p;
}

Tensor permutation(Key key, std::int64_t n, std::source_location where) {
  const SourceScope scope(where);
  return argsort(draw<false>(key, {n}, DType::float64));
}

}  // namespace xgrad::random
