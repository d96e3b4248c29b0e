#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <vector>

#include "autograd/graph/description.hpp"
#include "autograd/graph/operation.hpp"
#include "autograd/ops/element_range.hpp"

/// \file
/// A graph that is computed again, node by node, to see where a number was born. Not installed.

/// Where numbers that are not finite come from.
namespace xgrad::provenance {

/// One element of a value.
struct Place {
  Description::Value value;
  std::int64_t element;
};

/// When a replay stops.
enum class Stop : std::uint8_t {
  never,
  at_guards,  ///< at a tensor that has to be finite and is not
  at_checks,  ///< at the first result that is not, too
};

inline bool is_leaf(Description::Value value) { return (value & Description::leaf_bit) != 0; }

/// Whether elements are there.
inline bool is_known(const Array& array) { return static_cast<bool>(array); }

/// A function of others among the operations: it has programs, which are looked into.
bool is_compound(const Node& node);

/// Whether \p graph, or a program inside, has tensors that have to be finite.
bool has_guards(const Description& graph);

/// The elements of the outputs of \p node on \p inputs. \param wanted the outputs that an operation may not leave out.
/// Effects do not happen. Empty arrays where that cannot be told without them.
/// \throws Error what the operation throws.
std::vector<Array> compute(const Node& node, const std::vector<Array>& inputs, const std::vector<bool>& wanted);

/// A graph, what its leaves hold, and what its nodes gave.
class Level {
 public:
  /// \param given the elements of the first leaves. \param outputs values that are asked for. \param names of the first
  /// leaves, of a graph that is no program inside; they outlive the level.
  Level(const Description& graph, std::vector<Array> given, std::span<const Description::Value> outputs,
        const std::vector<std::string>* names = nullptr);

  /// The node where a replay stopped, and what of it is not finite.
  struct Failure {
    std::size_t node;
    Place place;     ///< the value; not there where it is in a program inside
    bool is_inside;  ///< in a program of the node
  };
  using LookInside = std::function<bool(std::size_t node)>;
  /// Computes all nodes, or those before the failure. What is finite and not needed any more is forgotten, but for its
  /// range. \param needed per node, and then without ranges; empty: all. \throws Error what operations throw.
  /// \param look_inside called for nodes with programs where those are to be looked at; says whether a failure is inside.
  std::optional<Failure> run(Stop stop, const LookInside& look_inside = {}, const std::vector<bool>& needed = {});

  const Description& graph() const { return *graph_; }
  const std::vector<Array>& given() const { return given_; }
  bool is_inside() const { return names_ == nullptr; }  ///< a program of a node of another graph
  /// `features`, `variable 'w' float32(3, 2)`, `a constant at main.cpp:3`
  std::string name_of_leaf(std::size_t number) const;
  /// The elements of a value; empty where they are not known.
  const Array& elements(Description::Value value) const;
  /// The elements of the inputs of a node.
  std::vector<Array> inputs_of(std::size_t node) const;
  /// Of a value of any dtype.
  const debug::ElementRange& range(Description::Value value) const;
  const Spec& spec(Description::Value value) const;
  std::size_t node_of(Description::Value value) const { return node_of_[value]; }
  std::vector<bool> wanted_outputs(std::size_t node) const;
  /// The nodes that \p value depends on, and its own.
  std::vector<bool> nodes_behind(Description::Value value) const;
  double number(Place place) const;

 private:
  std::optional<Failure> run_node(std::size_t number, Stop stop, const LookInside& look_inside);
  void forget_inputs(std::size_t number);

  const Description* graph_;
  std::vector<Array> given_;
  const std::vector<std::string>* names_;
  std::vector<Array> values_;
  mutable std::vector<std::optional<debug::ElementRange>> ranges_;
  mutable std::vector<std::optional<debug::ElementRange>> leaf_ranges_;
  std::vector<std::size_t> node_of_;
  std::vector<std::uint32_t> uses_;
  std::vector<bool> wanted_;
  std::vector<bool> is_finite_;  // per value, where it has been computed
  bool keeps_ranges_ = true;
};

/// ` at main.cpp:12`; empty where the place is not known.
std::string place_text(const std::source_location& where);

/// The view of an array, for as long as \p spec lives.
inline ConstView view_of(const Array& array, const Spec& spec) { return {array.data(), &spec}; }

/// The first element that is not finite, or -1. With \p nan_alone the first that is NaN.
std::int64_t first_not_finite(const Array& array, bool nan_alone = false);

}  // namespace xgrad::provenance
