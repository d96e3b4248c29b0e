#include "autograd/graph/substitute.hpp"

#include <limits>
#include <optional>
#include <vector>

#include "autograd/graph/effects.hpp"
#include "autograd/graph/name_scope.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/graph/recognize.hpp"
#include "autograd/graph/source_break.hpp"
#include "autograd/graph/walks.hpp"

namespace xgrad {

namespace {

struct Placeholder {
  static constexpr std::string_view name = "placeholder";
  Spec spec;
  std::string reader;
  static constexpr auto attributes = fields("spec", &Placeholder::spec, "reader", &Placeholder::reader);

  Spec infer(Inputs) const { return spec; }
  void eval(ConstViews, Views) const {
    raise<ValueError>(reader,
                      "the tensor stands for values that are given later, so it cannot be read here; compute with "
                      "it, and read the result of the transformed function");
  }
};

}  // namespace

bool detail::is_placeholder(const Node& node) { return node.as<Placeholder>() != nullptr; }

Tensor detail::placeholder(const Spec& spec, const std::string& reader, const Scope* scope) {
  // Its place in the source would tell the user nothing.
  return Tensor(make_node(make_operation(Placeholder{spec, reader}), Inputs(), {}, scope));
}

Tensor placeholder(const Spec& spec, const std::string& reader) {
  const Ref<const detail::Scope> scope(new detail::Scope(detail::Scope::Elements::later));  // never closed
  return detail::placeholder(spec, reader, scope.get());
}

namespace {

Tensors remake_without_effect(const Node& node, const Tensors& inputs) {
  if (node.operation().effect().empty()) {
    return apply_again(node, inputs);
  }
  if (const Ref<const AnyOperation> pure = node.operation().without_effect()) {
    const detail::LabelOf label(node);
    return make_node(pure, inputs, node.location())->outputs();
  }
  if (!node.operation().traits().alias) {
    raise<ValueError>(node.name(),
                      "it has an effect, which happens once, and results, which are needed again; call it "
                      "outside of the function that is computed again");
  }
  return {inputs[0]};
}

Tensors remake_with_effect(const Node& node, const Tensors& inputs) {
  const detail::LabelOf label(node);
  return detail::make_silent_node(node.operation_ref(), inputs, node.location())->outputs();
}

// \param begin of nodes from here on effects happen.
Tensors substitute_since(std::uint64_t begin, const Tensors& outputs, const Tensors& originals,
                         const Tensors& replacements) {
  const TopologicalOrder order = nodes_since(originals, outputs);
  std::vector<Tensors> remade(order.nodes.size());  // per node: its outputs, when they differ
  for (std::size_t i = 0; i < originals.size(); ++i) {
    if (const std::uint32_t number = order.numbers.find(&originals[i].node()); number != NodeNumbers::none) {
      remade[number].resize(originals[i].node().output_count());
      remade[number][originals[i].output_index()] = replacements[i];
    }
  }
  const auto current = [&](const Tensor& tensor) -> const Tensor& {
    const std::uint32_t number = order.numbers.find(&tensor.node());
    if (number == NodeNumbers::none || remade[number].empty()) {
      return tensor;
    }
    const Tensor& other = remade[number][tensor.output_index()];
    return other.defined() ? other : tensor;
  };
  for (std::size_t i = 0; i < order.nodes.size(); ++i) {
    const Node& node = *order.nodes[i];
    if (!remade[i].empty()) {
      continue;
    }
    Tensors inputs;
    bool differs = !node.operation().effect().empty();  // happens again, or not at all
    for (const Tensor& input : node.inputs()) {
      inputs.push_back(current(input));
      differs = differs || !inputs.back().same_as(input);
    }
    if (differs) {
      std::optional<detail::SourceBreak> own_line;
      if (node.location().line() != 0) {
        own_line.emplace();
      }
      remade[i] = node.sequence() >= begin ? remake_with_effect(node, inputs) : remake_without_effect(node, inputs);
    }
  }
  Tensors results;
  for (const Tensor& output : outputs) {
    results.push_back(current(output));
  }
  return results;
}

}  // namespace

Tensors substitute(const Tensors& outputs, const Tensors& originals, const Tensors& replacements) {
  return substitute_since(std::numeric_limits<std::uint64_t>::max(), outputs, originals, replacements);
}

Tensors detail::substitute_with_effects(const Tensors& outputs, const Tensors& originals, const Tensors& replacements) {
  return substitute_since(0, outputs, originals, replacements);
}

Tensors detail::substitute_with_effects_since(std::uint64_t begin, const Tensors& outputs, const Tensors& originals,
                                              const Tensors& replacements) {
  return substitute_since(begin, outputs, originals, replacements);
}

}  // namespace xgrad
