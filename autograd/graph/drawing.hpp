#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "autograd/graph/tensor.hpp"

/// \file
/// The graph as a drawing.

namespace xgrad {

/// Which nodes of a drawing are one box.
enum class Fold : std::uint8_t {
  none,     ///< each by itself
  by_line,  ///< those that one line of your source makes
  by_layer  ///< those of one layer, as NameScope names it; where there is none, those of one line
};

/// Options of to_dot.
struct DotOptions {
  Fold fold = Fold::none;  ///< which nodes are one box
};

/// The graph that computes \p outputs as a drawing, in Graphviz's DOT language: `dot -Tsvg graph.dot -o graph.svg`. Boxes
/// are operations, arrows are the tensors that go from one to the next, with their shapes (and dtypes, where not all are
/// float32). Forward pass, tangents, backward pass and update are told apart by colour, and by a frame around each where
/// there are several. Numbers are those of print_graph; constants of one element stand in the operations that read them.
///
/// Folded, the parameters that a part reads stand in its box, and arrows between two parts are one.
/// \throws ValueError for an undefined tensor.
std::string to_dot(std::span<const Tensor> outputs, const DotOptions& options = {});
/// The graph of one tensor.
std::string to_dot(const Tensor& output, const DotOptions& options = {});

}  // namespace xgrad
