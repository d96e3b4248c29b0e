#include "autograd/transforms/grad.hpp"

#include "autograd/graph/describe.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/transforms/chain_rule.hpp"
#include "autograd/transforms/checks.hpp"
#include "autograd/transforms/rules.hpp"

namespace xgrad {

Tensors vjp(const Tensors& outputs, const Tensors& inputs, const Tensors& cotangents, Unreached unreached,
            std::source_location where) {
  return located(where, [&] {
    detail::require_alike("vjp", "cotangent", cotangents, "output", outputs);
    detail::require_floating("grad", inputs);
    Tensors gradients = detail::reverse_mode(outputs, inputs, cotangents);
    detail::Unconnected unconnected(outputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (gradients[i].defined()) {
        continue;
      }
      if (unreached == Unreached::error || unconnected.is_stale(inputs[i])) {
        unconnected.raise_for(inputs[i]);
      }
      gradients[i] = zeros_like(inputs[i]);
    }
    return gradients;
  });
}

Tensors vjp(const Tensor& output, const Tensors& inputs, const Tensor& cotangent, Unreached unreached,
            std::source_location where) {
  return vjp(Tensors{output}, inputs, Tensors{cotangent}, unreached, where);
}

Tensors grad(const Tensor& output, const Tensors& inputs, Unreached unreached, std::source_location where) {
  const Tensor seed = located(where, [&] {
    if (output.size() != 1) {
      raise<ShapeError>("grad", phrase("the output has shape {}, a gradient is of one number; reduce it, as in "
                                       "sum(y), or use vjp with a cotangent",
                                       to_string(output.shape())));
    }
    if (!is_floating(output.dtype())) {
      raise<DTypeError>("grad", phrase("the output, {}, is not floating; cast what it is computed from to float32 or "
                                       "float64",
                                       detail::describe(output)));
    }
    const detail::LabelOf label(output.node(), detail::Part::backward);
    return ones(output.shape(), output.dtype(), where);
  });
  return vjp(output, inputs, seed, unreached, where);
}

Tensor grad(const Tensor& output, const Tensor& input, Unreached unreached, std::source_location where) {
  return grad(output, Tensors{input}, unreached, where).front();
}

Tensors jvp(const Tensors& outputs, const Tensors& inputs, const Tensors& tangents, std::source_location where) {
  return located(where, [&] {
    detail::require_alike("jvp", "tangent", tangents, "input", inputs);
    detail::require_floating("jvp", inputs);
    Tensors results = detail::forward_mode(outputs, inputs, tangents);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      results[i] = results[i].defined() ? results[i] : detail::zero_derivative(outputs[i]);
    }
    return results;
  });
}

Tensor jvp(const Tensor& output, const Tensors& inputs, const Tensors& tangents, std::source_location where) {
  return jvp(Tensors{output}, inputs, tangents, where).front();
}

}  // namespace xgrad
