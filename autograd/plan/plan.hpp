#pragma once

#include <cstddef>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "autograd/array/array.hpp"
#include "autograd/graph/tensor.hpp"
#include "autograd/graph/variable.hpp"
#include "autograd/plan/options.hpp"
#include "autograd/plan/report/profile.hpp"
#include "autograd/plan/report/scaling.hpp"

/// \file
/// Plan, a traced function that can be run.

namespace xgrad {

struct TracedStep;

namespace plan {
class Profiler;
}

/// One call of a function on arguments of given shapes and dtypes, with its reads and assignments of variables; made by
/// compile(). A cheap handle: copies share the plan.
class Plan {
 public:
  /// Of a traced function. \param argument_names what errors call its arguments, as far as they are given.
  explicit Plan(const TracedStep& step, const PlanOptions& options = {}, std::vector<std::string> argument_names = {});

  /// Computes the outputs and assigns the variables that the function assigns. When something fails, no variable changes.
  /// \param inputs the arguments, of the shapes and dtypes that the function was traced for.
  /// \throws ValueError when there are more or fewer of them.
  /// \throws ShapeError when one is not of the shape it was traced for.
  /// \throws DTypeError when one is not of the dtype it was traced for.
  std::vector<Array> run(std::span<const Array> inputs) const;
  /// The same, into \p outputs, of which there are output_count(). Once it has run a few times it allocates nothing but
  /// the outputs' buffers, which come from the pool.
  void run(std::span<const Array> inputs, std::span<Array> outputs) const;

  std::size_t output_count() const;  ///< how many tensors the function returns
  /// The variables that the function assigns, each once.
  std::vector<Variable> assigned() const;
  /// Memory that a run needs beside arguments and variables: its working memory, with the present number of threads, and
  /// its outputs. In bytes, exact, known before the first run; without what BLAS takes for itself. (Where memory is taken anew, for the first run
  /// and for each that goes on beside others, new contents of variables take fresh memory once.)
  std::size_t peak_bytes() const;

  /// The kernel calls, numbered, phase by phase: shapes, fused formulas, and where in memory results are.
  std::string text() const;
  /// Which value is where in the arena, during which phases, and what a plan without reuse would need.
  std::string memory_map() const;
  friend std::string to_dot(const Plan& plan);

  /// Runs the plan \p repetitions times and takes the time of every kernel. The variables are assigned each time, as by
  /// run.
  /// \throws ValueError when \p repetitions is less than 1, and whatever run throws.
  Profile profile(std::span<const Array> inputs, int repetitions = 100) const;
  /// The same, for tensors.
  Profile profile(std::initializer_list<Tensor> inputs, int repetitions = 100) const;

  /// What a run would take on 1, 2, 4 to 64 cores and on as many as there are threads, and what limits it at each. The
  /// pieces of each phase, and those into which a kernel cuts itself, are timed on one thread, in runs as they are: medians
  /// of \p repetitions. They are shared out on paper as parallel_for does it, with a barrier at the end of each, whose cost
  /// is measured on the threads there are and grows in proportion beyond. What the calling thread does alone stays as it is.
  /// Memory bandwidth is not in it, nor a clock that falls when more cores work, nor that more cores have more cache. Beside
  /// it stands what the shortest run takes here, on those numbers of threads for which there are processors.
  ///
  /// Runs write copies of the variables: those keep their contents. Effects, such as prints and sums over ranks, happen each
  /// time, as often as there are processors to measure on: ranks need equally many.
  /// \throws ValueError when \p repetitions is less than 1, and whatever run throws.
  ScalingReport scaling(std::span<const Array> inputs, int repetitions = 20) const;
  /// The same, for tensors.
  ScalingReport scaling(std::initializer_list<Tensor> inputs, int repetitions = 20) const;

 private:
  struct State;
  void run(std::span<const Array> inputs, std::span<Array> outputs, plan::Profiler* profiler) const;

  std::shared_ptr<const State> state_;
};

/// The kernel calls as a drawing, in Graphviz's DOT language: `dot -Tsvg plan.dot -o plan.svg`. Boxes are kernels, with the
/// formula or the product that they compute, the layers (NameScope) or the line that they come from, and the variables that
/// they write; arrows are what goes from one to the next. Kernels in one frame are computed together, piece by piece.
std::string to_dot(const Plan& plan);
/// Prints the kernel calls, as Plan::text gives them.
std::ostream& operator<<(std::ostream& out, const Plan& plan);

}  // namespace xgrad
