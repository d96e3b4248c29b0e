#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "autograd/graph/drawing.hpp"
#include "autograd/graph/spec.hpp"
#include "autograd/graph/tensor.hpp"
#include "autograd/graph/variable.hpp"
#include "autograd/kernels/product_precision.hpp"

/// \file
/// What a function does, as a graph: for plans, and for whoever writes it in another language.

namespace xgrad {

/// Everything that one call of a traced function does, as a graph.
///
/// The graph's leaves are the arguments, the old contents of variables, operations without inputs, and nodes whose
/// elements are known: constants.
struct TracedStep {
  /// A variable that the function reads or assigns.
  struct Cell {
    Variable variable;  ///< the variable
    Tensor before;      ///< the leaf that stands for the old content; always there, also when it is only assigned
    Tensor after;       ///< the new content, computed from the old ones; undefined when it is not assigned
  };

  Tensors inputs;           ///< leaves that stand for the arguments
  std::vector<Cell> cells;  ///< each variable once
  Tensors outputs;          ///< what the function returned
  Tensors effects;          ///< nodes that do something to the world, in program order
};

/// What the function does as a drawing: as of tensors, and what is given, returned and assigned beside it.
std::string to_dot(const TracedStep& step, const DotOptions& options = {});

/// What \p function does with arguments like \p arguments. It is called once, with tensors that have no elements, and
/// changes no variable.
/// \param products how exactly its products take their factors, as CompileOptions::products.
/// \throws ValueError as a compiled function does: when it reads a value, or captures what is no constant.
TracedStep trace_step(std::span<const Spec> arguments, const std::function<Tensors(const Tensors&)>& function,
                      ProductPrecision products = ProductPrecision::float32);

}  // namespace xgrad
