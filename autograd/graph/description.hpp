#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "autograd/graph/node.hpp"
#include "autograd/graph/walks.hpp"

/// \file
/// Graphs as data.

namespace xgrad {

/// What computes some tensors, taken down at one moment: the operations in order, how they are connected, and the leaves,
/// which are given or known. Evaluating, planning and looking for a plan all go by one description: what another thread
/// computes meanwhile changes nothing.
///
/// A value is an output of a node or a leaf. Values of nodes are numbered in order, those of leaves have `leaf_bit` beside
/// their number.
class Description {
 public:
  using Value = std::uint32_t;                       ///< the number of a value
  static constexpr Value leaf_bit = Value{1} << 31;  ///< marks the numbers of leaves
  static constexpr Value none = ~Value{0};           ///< no value

  /// A tensor that nothing computes.
  struct Leaf {
    Tensor tensor;   ///< a handle to it
    Array elements;  ///< at the moment of description; empty for those that are given
  };

  /// \param roots what is to be computed; they keep the nodes alive while the description is used.
  /// \param given leaves, whether their elements are known or not; the first ones, in this order.
  explicit Description(std::span<const Tensor> roots, std::span<const Tensor> given = {});

  std::span<const Node* const> nodes() const { return nodes_; }    ///< inputs before the nodes that use them
  const std::vector<Leaf>& leaves() const { return leaves_; }      ///< what is given, then what was found known
  std::size_t value_count() const { return first_value_.back(); }  ///< outputs of all nodes together

  /// The inputs of a node.
  std::span<const Value> reads(std::size_t node) const {
    return std::span(reads_).subspan(first_read_[node], first_read_[node + 1] - first_read_[node]);
  }
  /// Of the outputs of a node; of the node behind the last one, the number of values.
  Value first_value(std::size_t node) const { return first_value_[node]; }
  Value value_of(const Tensor& tensor) const;  ///< of a root, or of what its computation reads; else `none`

 private:
  class Walk;

  Value leaf_of(const Tensor& tensor) const;
  Value value_of_seen(std::uint32_t number, const Tensor& tensor) const;

  std::vector<const Node*> nodes_;
  std::vector<Leaf> leaves_;
  std::vector<Value> reads_;
  std::vector<std::uint32_t> first_read_;  // per node, and one more
  std::vector<Value> first_value_;         // per node, and one more

  NodeNumbers seen_;                       // nodes, in the order in which the walk came to them
  std::vector<std::uint32_t> position_;    // per node seen: in nodes_
  NodeNumbers leaf_nodes_;                 // nodes of which outputs are leaves
  std::vector<std::uint32_t> first_slot_;  // per such node: of its outputs, in leaf_slots_
  std::vector<Value> leaf_slots_;          // leaves, or none
};

}  // namespace xgrad
