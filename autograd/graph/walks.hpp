#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "autograd/graph/node.hpp"

/// \file
/// Walks over the graph, in orders that others go through. Iterative: graphs may be millions of nodes deep.

namespace xgrad {

/// Numbers the nodes it is given 0, 1, 2, ... in the order of insertion.
class NodeNumbers {
 public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};  ///< the number of a node without one

  NodeNumbers();
  /// The number of \p node, or `none`.
  std::uint32_t find(const Node* node) const;
  /// Gives \p node the next number, unless it has one. \return whether it is new.
  bool insert(const Node* node);
  std::size_t size() const { return count_; }  ///< how many nodes have numbers

 private:
  struct Slot {
    const Node* node = nullptr;
    std::uint32_t number = 0;
  };
  std::size_t slot_of(const Node* node) const;
  void grow();

  std::vector<Slot> slots_;  // open addressing, a power of two of them
  std::uint32_t count_ = 0;
};

/// Nodes in an order in which every node comes after its inputs, and their numbers in that order.
struct TopologicalOrder {
  std::vector<const Node*> nodes;  ///< inputs before the nodes that use them
  NodeNumbers numbers;             ///< where each stands in `nodes`
};

/// Per node of \p order and per output: whether another node of it reads it, or it is one of \p roots.
std::vector<std::vector<bool>> outputs_in_use(const TopologicalOrder& order, std::span<const Tensor> roots);

/// All nodes that \p roots depend on.
TopologicalOrder topological_order(std::span<const Tensor> roots);

/// The nodes whose elements have to be computed for \p roots: not those that are known, nor what only they depend on.
TopologicalOrder unknown_nodes(std::span<const Tensor> roots);

/// The nodes that \p roots depend on and that can depend on one of \p sources: none older than the oldest source, so
/// that a long history behind the sources costs nothing.
TopologicalOrder nodes_since(std::span<const Tensor> sources, std::span<const Tensor> roots);

}  // namespace xgrad
