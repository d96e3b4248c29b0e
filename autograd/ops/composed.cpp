#include "autograd/ops/composed.hpp"

#include <vector>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

void require_floating(std::string_view op, DType dtype) {
  if (!is_floating(dtype)) {
    // bfloat16 is floating, but does not compute.
    const bool is_stored = is_storage(dtype) && is_real(dtype);
    raise<DTypeError>(
        op, phrase("it takes floating tensors{}, got {}{}; cast it first, as in cast(x, DType::float32)",
                   is_stored ? " to compute with" : "", to_string(dtype), is_stored ? ", which is for storage" : ""));
  }
}

void require_countable(std::string_view op, DType dtype) {
  if (is_storage(dtype)) {
    raise<DTypeError>(op,
                      phrase("it takes numbers, got {}, which is for storage; cast it first, as in cast(x, DType::{})",
                             to_string(dtype), to_string(is_real(dtype) ? number_dtype(dtype) : DType::int64)));
  }
}

void require_summable(std::string_view op, DType dtype) {
  if (is_storage(dtype) && is_real(dtype)) {
    raise<DTypeError>(op, phrase("it adds numbers to compute with, got {}, which is for storage; cast it first, as in "
                                 "cast(x, DType::float32)",
                                 to_string(dtype)));
  }
}

Tensor as_indices(std::string_view op, const Operand& indices) {
  const Tensor given = indices.tensor();
  if (!is_whole(given.dtype())) {
    raise<DTypeError>(op, phrase("indices must be integers, got {}; cast them, as in cast(i, DType::int64)",
                                 to_string(given.dtype())));
  }
  return cast(given, DType::int64);
}

namespace {

Tensor with_samples(const Node& node, const BatchedInputs& in, std::size_t i) {
  Shape samples = node.input(i).shape();
  samples.insert(0, in.size);
  return broadcast_to(in[i], samples);  // itself where it has them
}

}  // namespace

Tensors all_batched(const Node& node, const BatchedInputs& in) {
  Tensors batched;
  for (std::size_t i = 0; i < in.tensors.size(); ++i) {
    batched.push_back(with_samples(node, in, i));
  }
  return batched;
}

Tensors first_batched(const Node& node, const BatchedInputs& in) {
  Tensors inputs = in.tensors;
  inputs[0] = with_samples(node, in, 0);
  return inputs;
}

Tensor on_axis(const Tensor& x, std::size_t axis, const Slice& selection) {
  std::vector<Slice> slices(axis, all());
  slices.push_back(selection);
  return slice(x, slices);
}

}  // namespace xgrad
