#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "autograd/graph/subprogram.hpp"
#include "autograd/plan/steps/draft.hpp"

/// \file
/// What a step knows of a plan that it runs.

namespace xgrad::plan {

/// The finished plan of a sub-program, as a part of another plan.
class NestedPlan {
 public:
  virtual const Draft& draft() const = 0;
  virtual std::size_t phase_count() const = 0;
  virtual std::size_t scratch_stride() const = 0;  ///< bytes of scratch memory per thread
  virtual double cost() const = 0;                 ///< nanoseconds that a run takes on one thread, roughly
  /// Whether a run may write output \p i over the argument that it replaces.
  virtual bool writes_in_place(std::size_t i) const = 0;

  /// Bytes of working memory that run_inside takes, beside scratch memory.
  virtual std::size_t inside_bytes() const = 0;
  /// Runs as a part of another plan, on all threads.
  /// \param in one pointer per argument. \param out one per output; outputs share no memory with others.
  /// \param memory of inside_bytes(), aligned as the pool aligns. \param scratch of scratch_stride() for each of
  /// \p threads threads, as many as take part.
  virtual void run_inside(void* const* in, void* const* out, std::byte* memory, std::byte* scratch,
                          int threads) const = 0;

 protected:
  ~NestedPlan() = default;
};

/// Working memory of a step that runs other plans: theirs, and behind it room for pointers to all operands of the step, of
/// which there may be many: kernels allocate nothing.
class NestedMemory {
 public:
  /// \param plan_bytes of working memory that the plans take. \param operands how many the step has.
  NestedMemory(std::size_t plan_bytes, std::size_t operands)
      : pointers_offset_((plan_bytes + alignof(void*) - 1) / alignof(void*) * alignof(void*)), operands_(operands) {}

  std::size_t bytes() const { return pointers_offset_ + operands_ * sizeof(void*); }
  void** pointers(std::byte* memory) const { return reinterpret_cast<void**>(memory + pointers_offset_); }

 private:
  std::size_t pointers_offset_;
  std::size_t operands_;
};

/// Makes the plans of sub-programs, or finds them.
class NestedPlanner {
 public:
  /// Of a whole program.
  virtual std::shared_ptr<const NestedPlan> plan(const SubProgram& program) const = 0;
  /// Of those outputs of \p program that are \p wanted. \param replaces per wanted output, the input that it may be written
  /// over, or Draft::none.
  virtual std::shared_ptr<const NestedPlan> plan_part(const SubProgram& program, const std::vector<bool>& wanted,
                                                      std::vector<std::uint32_t> replaces) const = 0;

 protected:
  ~NestedPlanner() = default;
};

}  // namespace xgrad::plan
