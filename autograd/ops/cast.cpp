#include "autograd/ops/cast.hpp"

#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/ops.hpp"

namespace xgrad {

void Cast::eval(ConstViews in, Views out) const {
  kernels::cast(in[0].dtype(), in[0].data, to, out[0].data, in[0].size());
}

// Rounding has no derivative of its own: what is rounded passes them on. Those of bfloat16 are float32.
Tensors Cast::vjp(const Node& node, const Cotangents& ct) const {
  return {cast(ct[0], derivative_dtype(node.input(0).dtype()))};
}

Tensors Cast::jvp(const Node&, const Tangents& t) const { return {cast(t[0], derivative_dtype(to))}; }

Tensor cast(const Operand& x, DType dtype) {
  const Tensor input = x.tensor();
  return input.dtype() == dtype ? input : apply_op(Cast{dtype}, {input}, x.where());
}

}  // namespace xgrad
