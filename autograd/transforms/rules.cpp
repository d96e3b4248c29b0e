#include "autograd/transforms/rules.hpp"

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::detail {

Tensor zero_derivative(const Tensor& primal) { return zeros(primal.shape(), derivative_dtype(primal.dtype())); }

namespace {

// The inputs of a linear operation's jvp: tangents in place of real inputs, zeros where there is none.
Tensors linear_inputs(const Node& node, const Tangents& t) {
  Tensors inputs;
  for (std::size_t i = 0; i < node.inputs().size(); ++i) {
    const Tensor& input = node.input(i);
    inputs.push_back(!is_real(input.dtype()) ? input : t[i].defined() ? t[i] : zero_derivative(input));
  }
  return inputs;
}

Tensors checked_vjp(const Node& node, const Cotangents& ct) {
  if (!node.operation().traits().has_vjp) {
    raise<GradientError>(node.name(),
                         "it has no vjp rule, so no gradient flows through it; give it one, or pass its inputs "
                         "through stop_gradient");
  }
  Tensors gradients = node.operation().vjp(node, ct);
  if (gradients.size() != node.inputs().size()) {
    raise<GradientError>(node.name(), phrase("its vjp rule gave {} tensors for {} inputs; give one per input, "
                                             "undefined where there is none",
                                             gradients.size(), node.inputs().size()));
  }
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const Tensor& input = node.input(i);
    if (!gradients[i].defined() || (gradients[i].dtype() == derivative_dtype(input.dtype()) &&
                                    broadcasts_to(input.shape(), gradients[i].shape()))) {
      continue;
    }
    const Spec given{gradients[i].shape(), gradients[i].dtype()};
    raise<GradientError>(node.name(),
                         phrase("its vjp rule gave {} for input {}, which is {}; a gradient has the dtype and shape "
                                "of its input (or a shape that the input broadcasts to)",
                                to_string(given), i, to_string(Spec{input.shape(), derivative_dtype(input.dtype())})));
  }
  return gradients;
}

Tensors checked_jvp(const Node& node, const Tangents& t) {
  const OperationTraits& traits = node.operation().traits();
  if (!traits.can_jvp()) {
    raise<GradientError>(node.name(),
                         "it has no jvp rule, so it cannot be differentiated in forward mode; give it one, or "
                         "use reverse mode");
  }
  Tensors tangents = traits.has_jvp ? node.operation().jvp(node, t) : apply_again(node, linear_inputs(node, t));
  if (tangents.size() != node.output_count()) {
    raise<GradientError>(node.name(), phrase("its jvp rule gave {} tensors for {} outputs; give one per output, "
                                             "undefined where the tangent is zero",
                                             tangents.size(), node.output_count()));
  }
  for (std::size_t i = 0; i < tangents.size(); ++i) {
    const Spec expected{node.spec(i).shape, derivative_dtype(node.spec(i).dtype)};
    if (!tangents[i].defined()) {
      continue;
    }
    if (tangents[i].dtype() != expected.dtype || !broadcasts_to(tangents[i].shape(), expected.shape)) {
      const Spec given{tangents[i].shape(), tangents[i].dtype()};
      raise<GradientError>(node.name(), phrase("its jvp rule gave {} for output {}, which is {}; a tangent has the "
                                               "dtype and shape of its output (or a shape that broadcasts to it)",
                                               to_string(given), i, to_string(expected)));
    }
    tangents[i] = broadcast_to(tangents[i], expected.shape);
  }
  return tangents;
}

Tensors checked_vmap(const Node& node, const BatchedInputs& in) {
  const OperationTraits& traits = node.operation().traits();
  if (!traits.can_vmap()) {
    raise<GradientError>(node.name(),
                         "it has no vmap rule, so it cannot be applied to many samples at once; give it one");
  }
  Tensors outputs = traits.has_vmap ? node.operation().vmap(node, in) : apply_again(node, in.tensors);
  for (std::size_t i = 0; i < node.output_count(); ++i) {
    Spec expected = node.spec(i);
    expected.shape.insert(0, in.size);
    if (outputs.size() == node.output_count() && !outputs[i].defined() && !in.needed[i]) {
      continue;
    }
    if (outputs.size() != node.output_count() || !outputs[i].defined() || outputs[i].shape() != expected.shape ||
        outputs[i].dtype() != expected.dtype) {
      raise<GradientError>(node.name(), phrase("its vmap rule must give {} tensors, number {} as {}: samples on axis 0",
                                               node.output_count(), i, to_string(expected)));
    }
  }
  return outputs;
}

}  // namespace

// What rules build, and their errors, belong to the place of the node in the user's source.

Tensors call_vjp(const Node& node, const Cotangents& ct) {
  const SourceScope scope(node.location());
  return located(node.location(), [&] { return checked_vjp(node, ct); });
}

Tensors call_jvp(const Node& node, const Tangents& t) {
  const SourceScope scope(node.location());
  return located(node.location(), [&] { return checked_jvp(node, t); });
}

Tensors call_vmap(const Node& node, const BatchedInputs& in) {
  const SourceScope scope(node.location());
  const LabelOf label(node);
  return located(node.location(), [&] { return checked_vmap(node, in); });
}

}  // namespace xgrad::detail
