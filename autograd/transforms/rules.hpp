#pragma once

#include "autograd/graph/node.hpp"
#include "autograd/graph/rules.hpp"

/// \file
/// The rules of nodes, called and checked. Not installed.

namespace xgrad::detail {

/// The derivative of, or with respect to, \p primal where it is zero.
Tensor zero_derivative(const Tensor& primal);

/// The cotangents that the vjp rule of \p node gives, one per input, perhaps of a shape that the input broadcasts to.
/// \throws GradientError when there is no rule, or what it gives does not fit.
Tensors call_vjp(const Node& node, const Cotangents& ct);

/// The tangents that the jvp rule of \p node gives, one per output and of its shape.
/// \throws GradientError when there is no rule, or what it gives does not fit.
Tensors call_jvp(const Node& node, const Tangents& t);

/// The outputs for all samples that the vmap rule of \p node gives, samples on axis 0.
/// \throws GradientError when there is no rule, or what it gives does not fit.
Tensors call_vmap(const Node& node, const BatchedInputs& in);

}  // namespace xgrad::detail
