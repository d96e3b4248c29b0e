#include "autograd/ops/random.hpp"

#include <cmath>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::random {

namespace {

// Numbers for every key: (keys.., shape..).
template <bool normal>
struct Draw {
  static constexpr std::string_view name = normal ? "random_normal" : "random_uniform";
  static constexpr bool stops_gradient = true;
  static constexpr bool total = true;
  static constexpr bool maps_leading_axes = true;
  Shape shape;
  DType dtype;
  static constexpr auto attributes = fields("shape", &Draw::shape, "dtype", &Draw::dtype);

  Spec infer(Inputs key) const {
    if (!is_floating(dtype)) {
      raise<DTypeError>(name, phrase("it makes floating numbers, not {}", to_string(dtype)));
    }
    require_sizes(name, shape);
    Shape all = key[0].shape();
    for (const std::int64_t size : shape) {
      all.push_back(size);
    }
    return {all, dtype};
  }
  void eval(ConstViews key, Views out) const {
    const auto draw = normal ? kernels::random_normal : kernels::random_uniform;
    const std::int64_t count = shape.element_count();
    const std::size_t bytes = static_cast<std::size_t>(count) * size_of(dtype);
    for (std::int64_t i = 0; i < key[0].size(); ++i) {
      draw(dtype, static_cast<std::uint64_t>(key[0].as<std::int64_t>()[i]),
           out[0].as<std::byte>() + static_cast<std::size_t>(i) * bytes, count);
    }
  }
};

// Of keys and counters, both int64: the keys folded with the counters.
struct Fold {
  static constexpr std::string_view name = "random_fold";
  static constexpr bool stops_gradient = true;
  static constexpr bool total = true;

  Spec infer(Inputs in) const { return {in[0].shape(), DType::int64}; }
  void eval(ConstViews in, Views out) const {
    for (std::int64_t i = 0; i < out[0].size(); ++i) {
      out[0].as<std::int64_t>()[i] =
          static_cast<std::int64_t>(kernels::random_fold(static_cast<std::uint64_t>(in[0].as<std::int64_t>()[i]),
                                                         static_cast<std::uint64_t>(in[1].as<std::int64_t>()[i])));
    }
  }
  Tensors vmap(const Node& node, const BatchedInputs& in) const {
    Shape shape = node.spec(0).shape;
    shape.insert(0, in.size);
    return {apply_op(Fold(), {broadcast_to(in[0], shape), broadcast_to(in[1], shape)})};
  }
};

template <bool normal>
Tensor draw(const Key& key, const Shape& shape, DType dtype) {
  return apply_op(Draw<normal>{shape, dtype}, {key.tensor()});
}

}  // namespace

Key Key::fold(std::uint64_t data) const {
  return tensor_.defined() ? fold(Tensor(static_cast<std::int64_t>(data))) : Key(kernels::random_fold(state_, data));
}

Key Key::fold(const Operand& counter) const {
  const SourceScope scope(counter);
  return located(counter.where(), [&] {
    const Tensor data = counter.tensor();
    if (!is_integer(data.dtype())) {
      raise<DTypeError>("fold", phrase("a counter is an integer, this one is {}", to_string(data.dtype())));
    }
    if (data.size() != 1) {
      raise<ShapeError>("fold", phrase("a counter is one number, this one has shape {}; fold each element by "
                                       "itself, or use vmap",
                                       to_string(data.shape())));
    }
    return Key(apply_op(Fold(), {tensor(), reshape(cast(data, DType::int64), {})}));
  });
}

std::uint64_t Key::state() const {
  return tensor_.defined() ? static_cast<std::uint64_t>(*tensor_.array().data<std::int64_t>()) : state_;
}

Tensor Key::tensor() const { return tensor_.defined() ? tensor_ : Tensor(static_cast<std::int64_t>(state_)); }

Tensor uniform(Key key, const Shape& shape, double low, double high, DType dtype, std::source_location where) {
  const SourceScope scope(where);
  if (!(low <= high && std::isfinite(high - low))) {
    located(where, [&] {
      raise<ValueError>("random_uniform",
                        phrase("low is {}, high {}; low must not be above high, nor infinitely far below", low, high));
    });
  }
  // Rounding could reach high, which is excluded.
  const Tensor drawn = draw<false>(key, shape, dtype);
  const double last = dispatch_floating(dtype, [&](auto zero) {
    using T = decltype(zero);
    return static_cast<double>(std::nextafter(static_cast<T>(high), static_cast<T>(low)));
  });
  return map([=](Scalar u) { return minimum(low + (high - low) * u, last); }, drawn);
}

Tensor normal(Key key, const Shape& shape, double mean, double stddev, DType dtype, std::source_location where) {
  const SourceScope scope(where);
  if (!(stddev >= 0)) {
    located(where,
            [&] { raise<ValueError>("random_normal", phrase("the standard deviation is 0 or more, got {}", stddev)); });
  }
  return map([=](Scalar z) { return mean + stddev * z; }, draw<true>(key, shape, dtype));
}

Tensor bernoulli(Key key, double p, const Shape& shape, std::source_location where) {
  const SourceScope scope(where);
  if (!(p >= 0 && p <= 1)) {
    located(where, [&] { raise<ValueError>("bernoulli", phrase("a probability is in [0, 1], got {}", p)); });
  }
  return draw<false>(key, shape, DType::float64) < p;
}

Tensor permutation(Key key, std::int64_t n, std::source_location where) {
  const SourceScope scope(where);
  located(where, [&] { require_sizes("permutation", {n}); });
  return argsort(draw<false>(key, {n}, DType::float64));
}

}  // namespace xgrad::random
