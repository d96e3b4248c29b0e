#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "autograd/array/array.hpp"
#include "autograd/array/ref.hpp"
#include "autograd/graph/description.hpp"
#include "autograd/graph/operation.hpp"

/// \file
/// What two graphs have in common when they compute the same.

namespace xgrad {

/// A description as far as what it computes depends on it: operations and how they are connected, what the leaves are like,
/// which values are wanted. Equal structures compute the same from the same leaves.
class Structure {
 public:
  /// How the elements of known leaves are taken.
  enum class Known : std::uint8_t {
    as_given,      ///< they may differ from time to time: only their kind counts
    as_constants,  ///< they are part of the structure
  };

  /// \param outputs the wanted values of \p description, which has to outlive this object, unless kept.
  Structure(const Description& description, std::span<const Description::Value> outputs, Known known);

  /// With the operations' attributes; the same in every process and on every machine.
  std::uint64_t hash() const { return hash_; }
  /// Without attributes: of one graph with other numbers in it.
  std::uint64_t rough_hash() const { return rough_hash_; }
  /// Whether both compute the same. Operations of users' own are asked whether they are equal.
  bool same_as(const Structure& other) const;
  /// Whether there is a chance that another structure is the same as this one.
  bool is_comparable() const;

  /// A copy that needs no description: it holds the operations.
  Structure kept() const;

 private:
  struct LeafKind {
    Spec spec;
    bool variable;  // plans treat the contents of variables in ways of their own
    friend bool operator==(const LeafKind&, const LeafKind&) = default;
  };

  void add_words(const Description& description, std::span<const Description::Value> outputs);
  void add_leaves(const Description& description, Known known);

  std::vector<const AnyOperation*> operations_;
  std::vector<Ref<const AnyOperation>> held_;
  std::vector<std::uint32_t> words_;
  std::vector<LeafKind> leaves_;
  std::vector<Array> constants_;  // per leaf, empty where it is given
  std::uint64_t hash_ = 0;
  std::uint64_t rough_hash_ = 0;
};

/// A number for what computes \p outputs: equal for graphs of equal structure, the same in every process and on every
/// machine. Known tensors count with their elements, \p given ones with their shape and dtype.
std::uint64_t structure_hash(std::span<const Tensor> outputs, std::span<const Tensor> given = {});

}  // namespace xgrad
