#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/walks.hpp"
#include "autograd/plan/run/executable.hpp"

/// \file
/// Plans of graphs that are built again and again, found by the graph's structure.

namespace xgrad::plan {

/// The part of a graph that is to be computed, as far as its plan depends on it: operations and how they are connected,
/// the kinds of the leaves, and which results are wanted.
class Structure {
 public:
  /// \param wanted per node of \p order: whether its outputs are wanted.
  Structure(const TopologicalOrder& order, const std::vector<bool>& wanted);

  std::uint64_t hash() const { return hash_; }                ///< with the operations' attributes
  std::uint64_t rough_hash() const { return rough_hash_; }    ///< without
  std::span<const Tensor> leaves() const { return leaves_; }  ///< the tensors that are known, each once

  /// Whether a plan of \p kept fits this graph; \p operations are those of its nodes.
  bool fits(const Structure& kept, std::span<const Ref<const AnyOperation>> operations,
            const TopologicalOrder& order) const;
  /// Lets go of the leaves, of which only the kinds count.
  void forget_leaves();

 private:
  struct LeafKind {
    Spec spec;
    bool variable;
    friend bool operator==(const LeafKind&, const LeafKind&) = default;
  };
  std::vector<std::uint32_t> words_;
  std::vector<LeafKind> kinds_;
  Tensors leaves_;
  std::uint64_t hash_ = 0;
  std::uint64_t rough_hash_ = 0;
};

/// The plan that computes the wanted outputs of \p order from the leaves of \p structure, in the order of the nodes;
/// null where planning does not pay: operations that cannot be compared, graphs whose attributes change every time.
/// Thread-safe.
std::shared_ptr<const Executable> find_plan(const Structure& structure, const TopologicalOrder& order,
                                            const std::vector<bool>& wanted);

}  // namespace xgrad::plan
