#include "autograd/graph/walks.hpp"

#include <algorithm>
#include <limits>

#include "autograd/graph/operation.hpp"

namespace xgrad {

NodeNumbers::NodeNumbers() : slots_(64) {}

std::size_t NodeNumbers::slot_of(const Node* node) const {
  const std::size_t mask = slots_.size() - 1;
  // Fibonacci hashing: nodes lie at multiples of 16, the high bits of the product are well mixed.
  std::size_t i = (reinterpret_cast<std::uintptr_t>(node) >> 4) * 0x9E3779B97F4A7C15u >> 20;
  for (i &= mask; slots_[i].node != nullptr && slots_[i].node != node; i = (i + 1) & mask) {
  }
  return i;
}

std::uint32_t NodeNumbers::find(const Node* node) const {
  const Slot& slot = slots_[slot_of(node)];
  return slot.node == nullptr ? none : slot.number;
}

bool NodeNumbers::insert(const Node* node) {
  const std::size_t i = slot_of(node);
  if (slots_[i].node != nullptr) {
    return false;
  }
  slots_[i] = {node, count_++};
  if (count_ * 2 > slots_.size()) {
    grow();
  }
  return true;
}

void NodeNumbers::grow() {
  std::vector<Slot> old(slots_.size() * 4);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.node != nullptr) {
      slots_[slot_of(slot.node)] = slot;
    }
  }
}

namespace {

// Depth first, without recursion; nodes that `enters` refuses, and what only they depend on, are left out.
template <class Enters>
TopologicalOrder walk(std::span<const Tensor> roots, const Enters& enters) {
  struct Visit {
    const Node* node;
    std::size_t next_input;
  };
  TopologicalOrder order;
  NodeNumbers seen;
  std::vector<Visit> path;
  const auto enter = [&](const Node& node) {
    if (enters(node) && seen.insert(&node)) {
      path.push_back({&node, 0});
    }
  };
  for (const Tensor& root : roots) {
    static_cast<void>(root.shape());  // throws when the handle is empty
    enter(root.node());
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.next_input < visit.node->inputs().size()) {
        enter(visit.node->input(visit.next_input++).node());
      } else {
        order.numbers.insert(visit.node);
        order.nodes.push_back(visit.node);
        path.pop_back();
      }
    }
  }
  return order;
}

}  // namespace

TopologicalOrder topological_order(std::span<const Tensor> roots) {
  return walk(roots, [](const Node&) { return true; });
}

namespace {

bool is_known(const Node& node) {
  for (std::size_t i = 0; i < node.output_count(); ++i) {
    if (!node.has_value(i)) {
      return false;
    }
  }
  return true;
}

}  // namespace

TopologicalOrder unknown_nodes(std::span<const Tensor> roots) {
  return walk(roots, [](const Node& node) { return !is_known(node); });
}

TopologicalOrder nodes_since(std::span<const Tensor> sources, std::span<const Tensor> roots) {
  std::uint64_t oldest = std::numeric_limits<std::uint64_t>::max();
  for (const Tensor& source : sources) {
    oldest = std::min(oldest, source.node().sequence());
  }
  return walk(roots, [oldest](const Node& node) { return node.sequence() >= oldest; });
}

std::vector<std::vector<bool>> outputs_in_use(const TopologicalOrder& order, std::span<const Tensor> roots) {
  std::vector<std::vector<bool>> used;
  used.reserve(order.nodes.size());
  for (const Node* node : order.nodes) {
    used.emplace_back(node->output_count());
  }
  const auto use = [&](const Tensor& tensor) {
    if (const std::uint32_t number = order.numbers.find(&tensor.node()); number != NodeNumbers::none) {
      used[number][tensor.output_index()] = true;
    }
  };
  for (const Node* node : order.nodes) {
    std::for_each(node->inputs().begin(), node->inputs().end(), use);
  }
  std::for_each(roots.begin(), roots.end(), use);
  return used;
}

}  // namespace xgrad
