#include "nn/elementwise_update.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "autograd/graph/walks.hpp"
#include "autograd/ops/cast.hpp"
#include "autograd/ops/map.hpp"

namespace xgrad::nn::detail {

namespace {

constexpr std::size_t no_parameter = ~std::size_t{0};

using Sources = std::vector<std::pair<Tensor, std::size_t>>;

// Which parameter each node depends on by its elements, by elementwise operations alone: the one of its source, or none for
// numbers that all elements share. Nothing, when there is another kind of node.
std::optional<std::vector<std::size_t>> owners_of(const TopologicalOrder& order, const Sources& sources) {
  std::vector<std::size_t> owners(order.nodes.size(), no_parameter);
  std::vector<bool> is_source(order.nodes.size());
  for (const auto& [tensor, parameter] : sources) {
    if (const std::uint32_t number = order.numbers.find(&tensor.node()); number != NodeNumbers::none) {
      owners[number] = parameter;
      is_source[number] = true;
    }
  }
  for (std::size_t i = 0; i < order.nodes.size(); ++i) {
    const Node& node = *order.nodes[i];
    if (is_source[i]) {
      continue;
    }
    for (const Tensor& input : node.inputs()) {
      const std::size_t owner = owners[order.numbers.find(&input.node())];
      if (owner != no_parameter && owners[i] != no_parameter && owners[i] != owner) {
        return std::nullopt;
      }
      owners[i] = owner == no_parameter ? owners[i] : owner;
    }
    const bool is_elementwise = node.as<Map>() != nullptr || node.as<Cast>() != nullptr;
    if (owners[i] != no_parameter && !is_elementwise) {
      return std::nullopt;
    }
    for (const Tensor& input : node.inputs()) {
      const bool is_shared = owners[order.numbers.find(&input.node())] == no_parameter;
      if (owners[i] != no_parameter && is_shared && input.ndim() > 0) {
        return std::nullopt;
      }
    }
  }
  return owners;
}

// What is remembered of a parameter is told by the gradient it is made of.
std::size_t owner_of(const Tensor& value, const Tensors& gradients) {
  const TopologicalOrder order = topological_order(std::span(&value, 1));
  std::size_t owner = no_parameter;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (order.numbers.find(&gradients[i].node()) != NodeNumbers::none) {
      if (owner != no_parameter) {
        return no_parameter;  // of two
      }
      owner = i;
    }
  }
  return owner;
}

bool is_held_by(const Variable& variable, const Variables& all) {
  return std::any_of(all.begin(), all.end(), [&](const Variable& each) { return each.same_as(variable); });
}

bool has_update_in(const Variable& variable, const std::vector<Assignment>& updates) {
  return std::any_of(updates.begin(), updates.end(),
                     [&](const Assignment& update) { return update.first.same_as(variable); });
}

}  // namespace

std::optional<std::vector<Variables>> elementwise_memories(const std::vector<Assignment>& updates,
                                                           const Variables& parameters, const Tensors& gradients) {
  std::vector<Variables> memories(parameters.size());
  Sources sources;
  Tensors roots;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    sources.emplace_back(gradients[i], i);
    sources.emplace_back(parameters[i].read(), i);
  }
  if (!std::all_of(parameters.begin(), parameters.end(),
                   [&](const Variable& each) { return has_update_in(each, updates); })) {
    return std::nullopt;
  }
  for (const auto& [variable, value] : updates) {
    roots.push_back(value);
    if (is_held_by(variable, parameters)) {
      continue;
    }
    const std::size_t owner = owner_of(value, gradients);
    if (owner == no_parameter && variable.shape().empty()) {
      continue;  // a number, such as that of steps
    }
    if (owner == no_parameter || variable.shape() != parameters[owner].shape()) {
      return std::nullopt;
    }
    memories[owner].push_back(variable);
    sources.emplace_back(variable.read(), owner);
  }
  const TopologicalOrder order = topological_order(roots);
  const auto owners = owners_of(order, sources);
  const auto is_cut = [&](const Assignment& update) {
    const std::size_t owner = (*owners)[order.numbers.find(&update.second.node())];
    if (owner == no_parameter) {
      return update.first.shape().empty();
    }
    return parameters[owner].same_as(update.first) || is_held_by(update.first, memories[owner]);
  };
  if (!owners || !std::all_of(updates.begin(), updates.end(), is_cut)) {
    return std::nullopt;
  }
  return memories;
}

}  // namespace xgrad::nn::detail
