#include "autograd/ops/composed.hpp"

#include <vector>

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

void require_floating(std::string_view op, DType dtype) {
  if (!is_floating(dtype)) {
    raise<DTypeError>(op, phrase("it takes floating tensors, got {}; cast it first, as in cast(x, DType::float32)",
                                 to_string(dtype)));
  }
}

void require_countable(std::string_view op, DType dtype) {
  if (dtype == DType::boolean || dtype == DType::uint8) {
    raise<DTypeError>(op, phrase("it takes numbers, got {}; cast it first", to_string(dtype)));
  }
}

Tensor as_indices(std::string_view op, const Operand& indices) {
  const Tensor given = indices.tensor();
  if (is_floating(given.dtype()) || given.dtype() == DType::boolean) {
    raise<DTypeError>(op, phrase("indices must be integers, got {}; cast them, as in cast(i, DType::int64)",
                                 to_string(given.dtype())));
  }
  return cast(given, DType::int64);
}

Tensors all_batched(const Node& node, const BatchedInputs& in) {
  Tensors batched = in.tensors;
  for (std::size_t i = 0; i < batched.size(); ++i) {
    if (!in.batched[i]) {
      Shape samples = node.input(i).shape();
      samples.insert(0, in.size);
      batched[i] = broadcast_to(batched[i], samples);
    }
  }
  return batched;
}

Tensor on_axis(const Tensor& x, std::size_t axis, const Slice& selection) {
  std::vector<Slice> slices(axis, all());
  slices.push_back(selection);
  return slice(x, slices);
}

}  // namespace xgrad
