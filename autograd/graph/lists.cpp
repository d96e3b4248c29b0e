#include "autograd/graph/lists.hpp"

#include "autograd/graph/substitute.hpp"

namespace xgrad::detail {

void append(Tensors& list, const Tensors& more) { list.insert(list.end(), more.begin(), more.end()); }

Tensors joined(Tensors first, const Tensors& second) {
  append(first, second);
  return first;
}

Tensors part_of(std::span<const Tensor> list, std::size_t first, std::size_t count) {
  const auto part = list.subspan(first, count);
  return Tensors(part.begin(), part.end());
}

std::int64_t bytes_of(std::span<const Tensor> tensors) {
  std::int64_t bytes = 0;
  for (const Tensor& tensor : tensors) {
    bytes += tensor.size() * static_cast<std::int64_t>(size_of(tensor.dtype()));
  }
  return bytes;
}

Tensor placeholder_like(const Tensor& tensor) {
  return placeholder({tensor.shape(), tensor.dtype()}, "program", nullptr);
}

Tensor placeholder_of_derivative(const Tensor& tensor) {
  return placeholder({tensor.shape(), derivative_dtype(tensor.dtype())}, "program", nullptr);
}

}  // namespace xgrad::detail
