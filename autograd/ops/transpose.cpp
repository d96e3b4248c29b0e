#include "autograd/ops/transpose.hpp"

#include <utility>

#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

Spec Transpose::infer(Inputs in) const {
  const Shape& shape = in[0].shape();
  const Axes given(axes);
  if (axes.ndim() != shape.ndim()) {
    raise<ShapeError>(
        name, phrase("{} axes are given for a tensor of shape {}; name each axis once", axes.ndim(), to_string(shape)));
  }
  normalize_axes(name, given, shape.ndim());
  Shape result;
  for (std::int64_t axis : axes) {
    result.push_back(shape[normalize_axis(name, axis, shape.ndim())]);
  }
  return {result, in[0].dtype()};
}

void Transpose::eval(ConstViews in, Views out) const {
  const Ints strides = row_major_strides(in[0].shape());
  Ints permuted;
  for (std::int64_t axis : axes) {
    permuted.push_back(strides[normalize_axis(name, axis, strides.ndim())]);
  }
  kernels::copy(size_of(in[0].dtype()), out[0].shape(), in[0].data, permuted, out[0].data,
                row_major_strides(out[0].shape()));
}

Tensors Transpose::vjp(const Node&, const Cotangents& ct) const {
  Ints inverse = axes;
  for (std::size_t i = 0; i < axes.ndim(); ++i) {
    inverse[normalize_axis(name, axes[i], axes.ndim())] = static_cast<std::int64_t>(i);
  }
  return {transpose(ct[0], inverse)};
}

Tensors Transpose::vmap(const Node&, const BatchedInputs& in) const {
  Ints samples_first{0};
  for (std::int64_t axis : axes) {
    samples_first.push_back(static_cast<std::int64_t>(normalize_axis(name, axis, axes.ndim())) + 1);
  }
  return {transpose(in[0], samples_first)};
}

Tensor transpose(const Operand& x, const Ints& axes) { return apply_op(Transpose{axes}, {x.tensor()}, x.where()); }

Tensor transpose(const Operand& x) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  Ints reversed;
  for (std::size_t i = input.ndim(); i-- > 0;) {
    reversed.push_back(static_cast<std::int64_t>(i));
  }
  return transpose(input, reversed);
}

Tensor swapaxes(const Operand& x, std::int64_t axis1, std::int64_t axis2) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    Ints order;
    for (std::size_t i = 0; i < input.ndim(); ++i) {
      order.push_back(static_cast<std::int64_t>(i));
    }
    std::swap(order[normalize_axis("swapaxes", axis1, input.ndim())],
              order[normalize_axis("swapaxes", axis2, input.ndim())]);
    return transpose(input, order);
  });
}

}  // namespace xgrad
