#include "autograd/ops/cast.hpp"

#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/ops.hpp"

namespace xgrad {

void Cast::eval(ConstViews in, Views out) const {
  kernels::cast(in[0].dtype(), in[0].data, to, out[0].data, in[0].size());
}

Tensors Cast::vjp(const Node& node, const Cotangents& ct) const { return {cast(ct[0], node.input(0).dtype())}; }

Tensor cast(const Operand& x, DType dtype) {
  const Tensor input = x.tensor();
  return input.dtype() == dtype ? input : apply_op(Cast{dtype}, {input}, x.where());
}

}  // namespace xgrad
