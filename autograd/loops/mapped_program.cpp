#include "autograd/loops/mapped_program.hpp"

#include "autograd/graph/operation.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/transforms/vmap.hpp"

namespace xgrad::detail {

namespace {

std::vector<Spec> specs_with_samples(const SubProgram& program, const Flags& batched, std::int64_t size) {
  std::vector<Spec> specs = specs_of(program.inputs());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (batched[i]) {
      specs[i].shape.insert(0, size);
    }
  }
  return specs;
}

}  // namespace

Ref<const SubProgram> mapped_program(const SubProgram& program, const Flags& batched, std::int64_t size,
                                     const MappedOutputs& outputs) {
  Body mapped("vmap", specs_with_samples(program, batched, size));
  MappedArguments arguments;
  arguments.size = size;
  Tensors originals;
  Tensors shared;
  for (std::size_t i = 0; i < batched.size(); ++i) {
    (batched[i] ? arguments.placeholders : originals).push_back(program.inputs()[i]);
    (batched[i] ? arguments.samples : shared).push_back(mapped.arguments()[i]);
  }
  Tensors roots = program.effects();
  for (const std::size_t number : outputs.numbers) {
    roots.push_back(program.outputs()[number]);
  }
  Tensors results;
  {
    const RecorderScope scope(mapped);
    // First what all samples share, then the samples.
    roots = substitute_with_effects(roots, originals, shared);
    const auto middle = roots.begin() + static_cast<std::ptrdiff_t>(program.effects().size());
    for (auto effect = roots.begin(); effect != middle; ++effect) {
      arguments.scope->get()->add_effect(*effect);
    }
    results.assign(middle, roots.end());
    Tensors of_samples;
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (outputs.batched[i]) {
        of_samples.push_back(results[i]);
      }
    }
    const Tensors found = map_samples(of_samples, arguments, 0);
    for (std::size_t i = 0, next = 0; i < results.size(); ++i) {
      results[i] = outputs.batched[i] ? found[next++] : results[i];
    }
  }
  return mapped.closed_program(results);
}

Ref<const SubProgram> mapped_program(const SubProgram& program, const Flags& batched, std::int64_t size) {
  MappedOutputs outputs;
  for (std::size_t i = 0; i < program.outputs().size(); ++i) {
    outputs.numbers.push_back(i);
  }
  outputs.batched.assign(outputs.numbers.size(), true);
  return mapped_program(program, batched, size, outputs);
}

}  // namespace xgrad::detail
