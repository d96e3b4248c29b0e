#include "autograd/transforms/subprograms.hpp"

#include <algorithm>
#include <utility>

#include "autograd/graph/derivation.hpp"
#include "autograd/graph/lists.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/transforms/chain_rule.hpp"
#include "autograd/transforms/vmap.hpp"

namespace xgrad::detail {

namespace {

// Those derivatives that exist, as a program.
Derivative derivative(Tensors inputs, const Tensors& derivatives) {
  Derivative result;
  Tensors existing;
  for (std::size_t i = 0; i < derivatives.size(); ++i) {
    if (derivatives[i].defined()) {
      existing.push_back(derivatives[i]);
      result.of.push_back(i);
    }
  }
  if (!existing.empty()) {
    result.program = Ref<const SubProgram>(new SubProgram(std::move(inputs), existing));
  }
  return result;
}

}  // namespace

Tensors pure_outputs(const SubProgram& program) {
  const EffectsWait wait;
  return program.effect_kinds().empty() ? program.outputs() : program.apply(program.inputs());
}

Ref<const SubProgram> without_effects(const SubProgram& program) {
  return Ref<const SubProgram>(new SubProgram(program.inputs(), pure_outputs(program)));
}

Derivative vjp_of(const SubProgram& program, const std::vector<bool>& has_cotangent, const std::vector<bool>& wanted) {
  const Derivation derivation;
  const Tensors outputs = pure_outputs(program);
  Tensors given;
  Tensors cotangents(outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (has_cotangent[i]) {
      given.push_back(placeholder_of_derivative(outputs[i]));
      cotangents[i] = given.back();
    }
  }
  Tensors wanted_inputs;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i]) {
      wanted_inputs.push_back(program.inputs()[i]);
    }
  }
  Tensors found = reverse_mode(outputs, wanted_inputs, cotangents);
  Tensors gradients(wanted.size());
  for (std::size_t i = 0, next = 0; i < wanted.size(); ++i) {
    gradients[i] = wanted[i] ? found[next++] : Tensor();
  }
  return derivative(joined(program.inputs(), given), gradients);
}

Derivative jvp_of(const SubProgram& program, const std::vector<bool>& has_tangent) {
  const Derivation derivation;
  Tensors given;
  Tensors tangents(program.inputs().size());
  for (std::size_t i = 0; i < tangents.size(); ++i) {
    if (has_tangent[i]) {
      given.push_back(placeholder_of_derivative(program.inputs()[i]));
      tangents[i] = given.back();
    }
  }
  return derivative(joined(program.inputs(), given), forward_mode(pure_outputs(program), program.inputs(), tangents));
}

Ref<const SubProgram> vmap_of(const SubProgram& program, const std::vector<bool>& batched, std::int64_t size) {
  const EffectsWait wait;
  MappedArguments mapped;
  mapped.size = size;
  Tensors inputs = program.inputs();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (batched[i]) {
      Shape shape = inputs[i].shape();
      shape.insert(0, size);
      mapped.placeholders.push_back(inputs[i]);
      inputs[i] = placeholder({shape, inputs[i].dtype()}, "program", nullptr);
      mapped.samples.push_back(inputs[i]);
    }
  }
  return Ref<const SubProgram>(new SubProgram(inputs, map_samples(pure_outputs(program), mapped, 0)));
}

}  // namespace xgrad::detail
