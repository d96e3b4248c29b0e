#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/graph/subprogram.hpp"
#include "autograd/plan/steps/draft.hpp"
#include "autograd/plan/steps/kernel.hpp"
#include "autograd/plan/steps/nested_plan.hpp"

/// \file
/// What distinguishes one kind of step from others.

namespace xgrad::plan {

/// Where the operands of a step are.
struct Binding {
  Operands in;
  Operands out;
  std::vector<bool> shared;  ///< per output and input, whether a run may give them the same memory
};

/// What is wrong with a step, and with which value.
struct Fault {
  std::string_view what;
  ValueId value;
};

/// A kind of step: what the passes, the schedule, the binding and the reports have to know of it. There is one object per
/// kind, constant and without state, in a file of its own. What is not overridden there stands for the plainest step: in
/// one piece, on one thread, into memory of its own, when all that it reads is there.
struct StepKind {
  /// The rows, along axis 0 of the outputs, along which \p step can be cut; 1 where it cannot.
  virtual std::int64_t rows(const Draft& draft, const Step& step) const;
  /// Whether \p step reads row i of input number \p input only while it computes row i.
  virtual bool reads_rows(const Draft& draft, const Step& step, std::size_t input) const;
  /// The slabs that \p step is cut into across its rows.
  virtual std::int64_t slabs(const Step& step) const;
  /// How many slabs, one behind the other, adjoin, so that one call may compute some of them.
  virtual std::int64_t adjoining_slabs(const Step& step) const;
  /// Nanoseconds that \p step takes on one thread, as a guess, without the call: pieces do not share that.
  virtual double cost(const Draft& draft, const Step& step) const = 0;

  /// When a step that nothing is computed together with is called on the calling thread, by Kernel::run_alone with scratch
  /// memory for all threads, which it uses itself: `when_large` where it costs much and is one piece.
  enum class Alone : std::uint8_t { never, when_large, always };
  virtual Alone alone() const;

  /// Whether the kernel writes each element of the output once, with its final content, so that it may write over the old
  /// content of a variable.
  virtual bool writes_whole(const Step& step) const;
  /// Whether the kernel, where input number \p input has the shape of the output and its memory, has read each element when
  /// it writes over it.
  virtual bool reads_before_writing(std::size_t input) const;
  /// Whether output number \p output needs no memory when nothing reads it.
  virtual bool skips_output(const Step& step, std::size_t output) const;
  /// Whether a step that reads constants alone may be computed by its operation when the plan is made.
  virtual bool folds() const;

  /// Plans the sub-programs that \p step runs, and gives it memory for it.
  virtual void plan_nested(Draft& draft, Step& step, const NestedPlanner& planner) const;
  /// The kernel.
  virtual std::unique_ptr<const Kernel> bind(const Draft& draft, const Step& step, Binding binding) const = 0;

  /// Where \p step contradicts itself, through a mistake in a pass.
  virtual std::optional<Fault> find_fault(const Draft& draft, const Step& step) const;
  /// What \p step computes, for reports.
  virtual std::string text(const Step& step) const;
  /// Floating-point operations, for reports.
  virtual double flops(const Draft& draft, const Step& step) const;

 protected:
  ~StepKind() = default;
};

/// The rows along which a step can be cut, or 1: one with an effect is never cut.
std::int64_t rows_of(const Draft& draft, const Step& step);

/// Floating-point operations of all steps.
double flops_of(const Draft& draft);

/// Nanoseconds of one elementwise primitive, with one operand in the cache.
inline constexpr double element_ns = 0.05;
/// The number of elements that \p step reads and writes.
double moved_elements(const Draft& draft, const Step& step);

}  // namespace xgrad::plan
