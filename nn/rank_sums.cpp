#include "nn/rank_sums.hpp"

#include "autograd/ops/ops.hpp"

namespace xgrad::nn::detail {

Tensor tree_sum(std::span<const Tensor> tensors, std::size_t parts) {
  if (tensors.size() == 1) {
    return tensors.front();
  }
  const std::size_t half = parts / 2;
  if (tensors.size() <= half) {
    return tree_sum(tensors, half);
  }
  return tree_sum(tensors.first(half), half) + tree_sum(tensors.subspan(half), half);
}

Tensor nothing_to_add(const Spec& spec) {
  if (!is_floating(spec.dtype)) {
    return zeros(spec.shape, spec.dtype);
  }
  return full(spec.shape, -0.0, spec.dtype);
}

Tensor flat(const Tensors& tensors) {
  Tensors rows;
  for (const Tensor& tensor : tensors) {
    rows.push_back(reshape(tensor, {-1}));
  }
  return rows.size() == 1 ? rows.front() : concatenate(rows);
}

Tensor shaped(const Tensor& flat, std::int64_t first, const Shape& shape) {
  const std::int64_t count = shape.element_count();
  const bool is_all = first == 0 && count == flat.size();
  return reshape(is_all ? flat : flat[range(first, first + count)], shape);
}

Tensors all_reduced(const Ranks& ranks, const Tensors& tensors) {
  Tensors sums(tensors.size());
  for (const DType dtype : {DType::float32, DType::float64, DType::int64}) {
    const auto is_of_it = [&](const Tensor& tensor) {
      return tensor.dtype() == dtype || (dtype == DType::int64 && !is_floating(tensor.dtype()));
    };
    Tensors same;
    for (const Tensor& tensor : tensors) {
      if (is_of_it(tensor)) {
        same.push_back(cast(tensor, dtype));
      }
    }
    if (same.empty()) {
      continue;
    }
    const Tensor sum = ranks.all_reduce(flat(same));
    std::int64_t first = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (is_of_it(tensors[i])) {
        sums[i] = cast(shaped(sum, first, tensors[i].shape()), tensors[i].dtype());
        first += tensors[i].size();
      }
    }
  }
  return sums;
}

}  // namespace xgrad::nn::detail
