#pragma once

#include <cstdint>

#include "onnx/import/graph.hpp"

/// \file
/// Internal: which initialisers are what.

namespace xgrad::onnx::loading {

/// PyTorch writes parameters of equal elements once, and has the others as copies of it: all the weights that begin as ones,
/// say. As they go their own ways in training, a copy of an initialiser whose elements are all one number is an initialiser of
/// its own here. (What is really one parameter under two names, such as tied embeddings, is hardly ever one number.)
Graph with_merged_separated(const Graph& graph);

/// How the nodes of a graph read an initialiser.
enum class Role : std::uint8_t {
  constant,   ///< not at all, or as an option: a limit, a rate, a shape
  statistic,  ///< as a running mean or variance
  parameter   ///< as a factor, a summand, ...
};

/// The role of the value \p slot of \p graph.
Role role_of(const Graph& graph, Slot slot);

}  // namespace xgrad::onnx::loading
