#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "autograd/graph/operation.hpp"

/// \file
/// Walking and drawing the graph. Walks are iterative: graphs may be millions of nodes deep.

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

/// All nodes that \p roots depend on.
TopologicalOrder topological_order(std::span<const Tensor> roots);

/// The nodes whose elements have to be computed for \p roots: not those that are known, nor what only they depend on.
TopologicalOrder unknown_nodes(std::span<const Tensor> roots);

/// The nodes that \p roots depend on and that can depend on one of \p sources: none older than the oldest source, so
/// that a long history behind the sources costs nothing.
TopologicalOrder nodes_since(std::span<const Tensor> sources, std::span<const Tensor> roots);

/// A tensor without a value: it stands for one that is given later, by substitute.
/// \param reader what to say when somebody asks for its value, such as `vmap`.
Tensor placeholder(const Spec& spec, const std::string& reader);

/// The tensors \p outputs computed anew, with \p replacements in place of \p originals. Nodes that do not depend on the
/// originals are shared, the others are made again.
Tensors substitute(const Tensors& outputs, const Tensors& originals, const Tensors& replacements);

/// The graph that computes \p outputs as numbered lines, one per node:
///
///     %0 = variable float32(784, 128)  'weight'
///     %1 = matmul(%2, %0) float32(64, 128)
std::string print_graph(std::span<const Tensor> outputs);
/// The graph of one tensor as numbered lines.
std::string print_graph(const Tensor& output);

/// The same graph in Graphviz's DOT language: `dot -Tsvg graph.dot`.
std::string to_dot(std::span<const Tensor> outputs);
/// The graph of one tensor in DOT.
std::string to_dot(const Tensor& output);

}  // namespace xgrad
