#include "autograd/ops/linalg_parts.hpp"

#include <numeric>

#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

Tensor transposed(const Tensor& x) { return swapaxes(x, -2, -1); }

Tensor diagonal_matrix(const Tensor& x) { return expand_dims(x, -1) * eye(x.shape(-1), x.shape(-1), x.dtype()); }

Tensor as_matrices(const Tensor& numbers) { return reshape(numbers, joined(numbers.shape(), {1, 1})); }

Shape leading_axes(const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); }

Shape joined(const Shape& leading, std::initializer_list<std::int64_t> own) {
  Shape shape = leading;
  for (const std::int64_t size : own) {
    shape.push_back(size);
  }
  return shape;
}

void require_matrices(std::string_view op, const Tensor& x) {
  if (!is_floating(x.dtype())) {
    raise<DTypeError>(op, phrase("it takes floating matrices, got {}; cast it first, as in cast(x, DType::float64)",
                                 to_string(x.dtype())));
  }
  if (x.ndim() < 2) {
    raise<ShapeError>(
        op, phrase("it takes matrices, got shape {}; reshape it to (.., rows, columns)", to_string(x.shape())));
  }
}

void require_square(std::string_view op, const Tensor& x) {
  require_matrices(op, x);
  if (x.shape(-2) != x.shape(-1)) {
    raise<ShapeError>(
        op, phrase("it takes square matrices, got shape {}; look at the last two axes", to_string(x.shape())));
  }
}

kernels::Matrices matrices(std::string_view op, const ConstView& x) {
  const Shape& shape = x.shape();
  // Of empty matrices there may be any number, and nothing is to be done.
  const std::int64_t count = x.size() == 0 ? 0 : leading_axes(shape).element_count();
  return {op.data(), x.dtype(), count, shape[shape.ndim() - 2], shape.back()};
}

BroadcastSides::BroadcastSides(const ConstView& a, const ConstView& b, const View& x) {
  if (x.size() == 0) {
    sides_ = {x.data, 0, x.shape().back(), nullptr};
    return;
  }
  kernels::copy(size_of(b.dtype()), x.shape(), b.data, broadcast_strides(b.shape(), x.shape()), x.data,
                row_major_strides(x.shape()));
  const Shape own = leading_axes(a.shape());
  const Shape batch = leading_axes(x.shape());
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(own.element_count()));
  std::iota(numbers.begin(), numbers.end(), 0);
  matrix_.resize(static_cast<std::size_t>(batch.element_count()));
  kernels::copy(sizeof(std::int64_t), batch, numbers.data(), broadcast_strides(own, batch), matrix_.data(),
                row_major_strides(batch));
  sides_ = {x.data, batch.element_count(), x.shape().back(), matrix_.data()};
}

}  // namespace xgrad
