#pragma once

#include <string>
#include <vector>

#include "autograd/graph/drawing.hpp"
#include "autograd/graph/tensor.hpp"

/// \file
/// Internal: drawings of graphs that have more than outputs.

namespace xgrad::detail {

/// Something at the edge of a drawing, that a node computes or stands for.
struct DrawnEnd {
  std::string title;
  Tensor tensor;
  Tensor before = {};  ///< of an update: the leaf of the old content
};

/// What is drawn: a graph, with names for what goes in and out.
struct Drawing {
  std::vector<DrawnEnd> inputs;   ///< leaves, by the names that they have here
  std::vector<DrawnEnd> outputs;  ///< what is given back
  std::vector<DrawnEnd> updates;  ///< new contents of variables, by their names
  Tensors effects;                ///< what else happens
};

/// The drawing in DOT.
std::string dot_of(const Drawing& drawing, const DotOptions& options);

}  // namespace xgrad::detail
