#include "nn/dense.hpp"

#include <string>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn {

namespace {

Tensor initial_weight(std::int64_t in, std::int64_t out, const DenseOptions& options,
                      const std::source_location& where) {
  const SourceScope scope(where);
  if (in < 1 || out < 1) {
    raise<ValueError>("dense", phrase("sizes are 1 or more, got {} inputs and {} outputs", in, out));
  }
  return options.initializer(options.key.value_or(random::Key(0)), {in, out}, options.dtype);
}

// What to do about an input whose last axis is not of size in.
std::string advice(const Shape& shape, std::int64_t in) {
  const bool as_one_axis = shape.ndim() > 1 && shape[0] > 0 && shape.element_count() == shape[0] * in;
  return as_one_axis ? phrase("did you mean reshape(x, {{-1, {}}}), or a Flatten layer in front?", in)
                     : phrase("give one of shape (.., {})", in);
}

}  // namespace

Dense::Dense(std::int64_t in, std::int64_t out, DenseOptions options, std::source_location where)
    : weight_(located(where, [&] { return initial_weight(in, out, options, where); }), "weight"),
      initializer_(std::move(options.initializer)),
      has_key_(options.key.has_value()) {
  if (options.bias) {
    bias_.emplace(zeros({out}, options.dtype), "bias");
  }
}

Tensor Dense::operator()(const Operand& x) const {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const std::int64_t in = weight_.shape()[0];
    if (input.ndim() == 0 || input.shape().back() != in) {
      raise<ShapeError>(
          "dense",
          phrase("the layer takes {} features, the input of shape {} has {} on its last axis; {}", in,
                 to_string(input.shape()), input.ndim() == 0 ? 0 : input.shape().back(), advice(input.shape(), in)));
    }
    if (input.dtype() != weight_.dtype()) {
      raise<DTypeError>("dense", phrase("the weights are {}, the input is {}; cast it, or give DenseOptions another "
                                        "dtype",
                                        to_string(weight_.dtype()), to_string(input.dtype())));
    }
    const Tensor z = matmul(input, weight_);
    return bias_ ? z + *bias_ : z;
  });
}

void Dense::draw(random::Key key) {
  weight_.assign(initializer_(key, weight_.shape(), weight_.dtype()));
  if (bias_) {
    bias_->assign(zeros_like(*bias_));
  }
}

void Dense::place(random::Key key) {
  if (!has_key_) {
    detail::draw_if_fresh(weight_, initializer_, key);
  }
}

}  // namespace xgrad::nn
