#include "autograd/transforms/vmap.hpp"

#include "autograd/graph/effects.hpp"
#include "autograd/graph/substitute.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/transforms/rules.hpp"

namespace xgrad {

namespace {

// x with one axis moved to another place.
Tensor move_axis(const Tensor& x, std::size_t from, std::size_t to) {
  if (from == to) {
    return x;
  }
  Ints order;
  for (std::size_t i = 0; i < x.ndim(); ++i) {
    order.push_back(static_cast<std::int64_t>(i));
  }
  order.erase(from);
  order.insert(to, static_cast<std::int64_t>(from));
  return transpose(x, order);
}

}  // namespace

detail::MappedArguments detail::split_samples(const Tensors& arguments, const std::vector<std::int64_t>& in_axes) {
  if (!in_axes.empty() && in_axes.size() != arguments.size()) {
    raise<ValueError>("vmap",
                      phrase("{} axes for {} arguments; give one for each, or none", in_axes.size(), arguments.size()));
  }
  MappedArguments result;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Tensor& argument = arguments[i];
    const std::int64_t axis = in_axes.empty() ? 0 : in_axes[i];
    if (axis == unmapped) {
      result.for_one_sample.push_back(argument);
      continue;
    }
    const std::size_t along = normalize_axis("vmap", axis, argument.ndim());
    Shape shape = argument.shape();
    const std::int64_t size = shape[along];
    shape.erase(along);
    if (!result.placeholders.empty() && size != result.size) {
      raise<ValueError>("vmap",
                        phrase("argument {} has {} samples on axis {} of shape {}, another has {}; they must be "
                               "equally many",
                               i, size, axis, to_string(argument.shape()), result.size));
    }
    result.size = size;
    result.placeholders.push_back(placeholder({shape, argument.dtype()}, "vmap", result.scope->get().get()));
    result.for_one_sample.push_back(result.placeholders.back());
    result.samples.push_back(move_axis(argument, along, 0));
  }
  if (result.placeholders.empty()) {
    raise<ValueError>("vmap", "no argument is mapped; give the axis of samples of at least one");
  }
  return result;
}

Tensors detail::map_samples(const Tensors& outputs, const MappedArguments& arguments, std::int64_t out_axis) {
  const Tensors effects = arguments.scope->get()->take_effects();
  arguments.scope->get()->close();  // the function has returned: what happens now, happens outside
  Tensors roots = effects;          // in front, so that they happen in their order
  roots.insert(roots.end(), outputs.begin(), outputs.end());
  const TopologicalOrder order = nodes_since(arguments.placeholders, roots);
  std::vector<bool> waits(order.nodes.size());  // per node: whether its effect is still to happen
  for (const Tensor& effect : effects) {
    if (const std::uint32_t number = order.numbers.find(&effect.node()); number != NodeNumbers::none) {
      waits[number] = true;
    }
  }
  const std::vector<std::vector<bool>> needed = outputs_in_use(order, outputs);
  std::vector<Tensors> mapped(order.nodes.size());  // per node: its outputs for all samples, when they depend on them
  for (std::size_t i = 0; i < arguments.placeholders.size(); ++i) {
    const std::uint32_t number = order.numbers.find(&arguments.placeholders[i].node());
    if (number != NodeNumbers::none) {
      mapped[number] = {arguments.samples[i]};
    }
  }
  const auto for_all_samples = [&](const Tensor& tensor) {
    const std::uint32_t number = order.numbers.find(&tensor.node());
    return number == NodeNumbers::none || mapped[number].empty() ? Tensor() : mapped[number][tensor.output_index()];
  };
  for (std::size_t i = 0; i < order.nodes.size(); ++i) {
    const Node& node = *order.nodes[i];
    BatchedInputs in{{}, {}, arguments.size, needed[i]};
    bool any = false;
    for (const Tensor& input : node.inputs()) {
      const Tensor samples = for_all_samples(input);
      in.batched.push_back(samples.defined());
      in.tensors.push_back(samples.defined() ? samples : input);
      any = any || in.batched.back();
    }
    if (any) {
      mapped[i] = call_vmap(node, in);
    } else if (waits[i]) {
      detail::happen(Ref<const Node>(&node));
    }
  }
  Tensors results;
  for (const Tensor& output : outputs) {
    Tensor result = for_all_samples(output);
    if (!result.defined()) {
      Shape shape = output.shape();
      shape.insert(0, arguments.size);
      result = broadcast_to(output, shape);
    }
    results.push_back(move_axis(result, 0, normalize_axis("vmap", out_axis, result.ndim())));
  }
  return results;
}

}  // namespace xgrad
