#pragma once

#include <optional>
#include <string_view>

#include "autograd/graph/tensor.hpp"
#include "autograd/graph/walks.hpp"

/// \file
/// What transformations ask of tensors, and the words for what does not fit. Not installed.

namespace xgrad::detail {

/// \throws DTypeError `[op]` unless all \p inputs are floating.
void require_floating(std::string_view op, const Tensors& inputs);

/// \throws ValueError `[op]` unless there is one derivative for each tensor.
/// \throws ShapeError, DTypeError `[op]` unless each derivative that is defined is of the shape and dtype of its tensor.
/// \param derivative what to call one, such as `tangent`. \param role what to call its tensor, such as `input`.
void require_alike(std::string_view op, std::string_view derivative, const Tensors& derivatives, std::string_view role,
                   const Tensors& tensors);

/// Why no derivative flows from some tensors to others. Their history is walked once, when somebody asks.
class Unconnected {
 public:
  explicit Unconnected(const Tensors& outputs) : outputs_(outputs) {}

  /// Whether the outputs were computed from what the variable of the leaf \p input held at another time.
  bool is_stale(const Tensor& input);
  /// Throws the error that says it.
  [[noreturn]] void raise_for(const Tensor& input);

 private:
  const TopologicalOrder& history();
  std::string_view reason(const Tensor& input);

  const Tensors& outputs_;
  std::optional<TopologicalOrder> history_;
};

}  // namespace xgrad::detail
