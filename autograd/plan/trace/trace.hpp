#pragma once

#include <cstddef>
#include <source_location>
#include <span>
#include <unordered_map>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/plan/trace/traced_step.hpp"

/// \file
/// Tracing: what a function does with its arguments and with variables, as a graph. Not installed.

namespace xgrad::detail {

/// What one call of a function does, noted while it is the recorder of the thread:
///
///     Trace trace(specs);
///     Tensors outputs;
///     {
///       const RecorderScope scope(trace);
///       outputs = f(trace.inputs());
///     }
///     TracedStep step = trace.finish(outputs);
class Trace final : public Recorder {
 public:
  /// A trace of a call with arguments like \p arguments. \param products of the function.
  explicit Trace(std::span<const Spec> arguments, ProductPrecision products);

  const Tensors& inputs() const { return inputs_; }  ///< what stands for the arguments

  Tensor read(const Variable& variable) override;
  void assign(const Variable& variable, const Tensor& value) override;
  void made(const Variable& variable) override;
  const Scope* scope() const override { return scope_.get().get(); }
  ProductPrecision products() const override { return products_; }

  /// The whole step; \p outputs is what the function returned. Tensors from outside become constants.
  /// \throws ValueError when an output is empty, or the graph uses a tensor that is no constant: the content of a
  /// variable read outside, or an argument of a transformation outside.
  TracedStep finish(const Tensors& outputs);

 private:
  struct Cell {
    TracedStep::Cell traced;
    Tensor current;  // what reading gives; undefined after an assignment, until somebody reads
    bool made_here = false;
  };

  Cell& cell_of(const Variable& variable);
  Tensors results() const;
  Tensors from_outside() const;
  void make_locals_constant();

  OpenScope scope_;
  ProductPrecision products_;
  Tensor first_;  // older than every node that the function makes
  Tensors inputs_;
  Tensors outputs_;
  Tensors effects_;
  std::vector<Cell> cells_;
  std::unordered_map<const void*, std::size_t> numbers_;  // per cell's id
};

}  // namespace xgrad::detail
