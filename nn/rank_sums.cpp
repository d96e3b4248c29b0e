#include "nn/rank_sums.hpp"

#include "autograd/ops/ops.hpp"

namespace xgrad::nn::detail {

namespace {

// A call takes microseconds, copying as many elements a fraction of a millisecond.
constexpr std::int64_t large_size = std::int64_t{1} << 18;

// What is added up on the way: whole numbers and truths as int64, bfloat16 as float32.
DType dtype_of_sum(DType dtype) { return is_real(dtype) ? number_dtype(dtype) : DType::int64; }

}  // namespace

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
  if (!is_real(spec.dtype)) {
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

std::vector<std::vector<std::size_t>> sent_together(const Tensors& tensors) {
  std::vector<std::vector<std::size_t>> groups;
  for (const DType dtype : {DType::float32, DType::float64, DType::int64}) {
    std::vector<std::size_t> small;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const DType own = dtype_of_sum(tensors[i].dtype());
      if (own == dtype && tensors[i].size() >= large_size) {
        groups.push_back({i});
      } else if (own == dtype) {
        small.push_back(i);
      }
    }
    if (!small.empty()) {
      groups.push_back(small);
    }
  }
  return groups;
}

Tensors all_reduced(const Ranks& ranks, const Tensors& tensors) {
  Tensors sums(tensors.size());
  for (const std::vector<std::size_t>& group : sent_together(tensors)) {
    Tensors same;
    for (const std::size_t i : group) {
      same.push_back(cast(tensors[i], dtype_of_sum(tensors[i].dtype())));
    }
    const Tensor sum = ranks.all_reduce(flat(same));
    std::int64_t first = 0;
    for (const std::size_t i : group) {
      sums[i] = cast(shaped(sum, first, tensors[i].shape()), tensors[i].dtype());
      first += tensors[i].size();
    }
  }
  return sums;
}

}  // namespace xgrad::nn::detail
