#pragma once

#include <memory>
#include <span>
#include <vector>

#include "autograd/array.hpp"

/// \file
/// Plan, a traced function that can be run.

namespace xgrad {

struct TracedStep;

/// One call of a function on arguments of given shapes and dtypes, with its reads and assignments of variables; made by
/// compile(). A cheap handle: copies share the plan.
class Plan {
 public:
  /// Of a traced function.
  explicit Plan(TracedStep step);

  /// Computes the outputs and assigns the variables that the function assigns. When something fails, no variable changes.
  /// \param inputs the arguments, of the shapes and dtypes that the function was traced for.
  /// \throws ValueError when there are more or fewer of them.
  /// \throws ShapeError when one is not of the shape it was traced for.
  /// \throws DTypeError when one is not of the dtype it was traced for.
  std::vector<Array> run(std::span<const Array> inputs) const;

 private:
  std::shared_ptr<const TracedStep> step_;
};

}  // namespace xgrad
