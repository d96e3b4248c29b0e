#include "autograd/ops/broadcast.hpp"

#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/map.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

Spec BroadcastTo::infer(Inputs in) const {
  require_sizes(name, shape);
  if (!broadcasts_to(in[0].shape(), shape)) {
    raise<ShapeError>(name, phrase("shape {} does not broadcast to {}: aligned at the last axis, sizes must be equal "
                                   "or 1",
                                   to_string(in[0].shape()), to_string(shape)));
  }
  return {shape, in[0].dtype()};
}

void BroadcastTo::eval(ConstViews in, Views out) const {
  kernels::copy(size_of(in[0].dtype()), shape, in[0].data, broadcast_strides(in[0].shape(), shape), out[0].data,
                row_major_strides(shape));
}

// The chain rule sums over repeated axes wherever an operand was broadcast.
Tensors BroadcastTo::vjp(const Node&, const Cotangents& ct) const { return {ct[0]}; }

Tensors BroadcastTo::vmap(const Node& node, const BatchedInputs& in) const {
  Shape samples = shape;
  samples.insert(0, in.size);
  return {broadcast_to(align_samples(node, in, shape.ndim())[0], samples)};
}

Tensor broadcast_to(const Operand& x, const Shape& shape) {
  const Tensor input = x.tensor();
  return input.shape() == shape ? input : apply_op(BroadcastTo{shape}, {input}, x.where());
}

}  // namespace xgrad
