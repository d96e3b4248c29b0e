#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "autograd/loops/loop.hpp"
#include "autograd/plan/steps/nested_plan.hpp"

/// \file
/// How loops run.

namespace xgrad::plan {

/// A loop as it runs: the plan of one step, and what changes from step to step. Steps allocate nothing. Where a step takes less
/// than a call of a plan, there is another plan, of several steps in one.
class LoopPlan {
 public:
  using Plans = std::vector<std::shared_ptr<const NestedPlan>>;
  /// The plan of one step of \p loop, and that of several, where a step is short.
  /// \param wanted per output of the loop, whether it is; results that are not are not computed.
  static Plans plan_steps(const Loop& loop, const std::vector<bool>& wanted, const NestedPlanner& planner);

  /// \param plans from plan_steps, for the same outputs.
  LoopPlan(const Loop& loop, const std::vector<bool>& wanted, const Plans& plans);

  std::size_t memory_bytes() const { return memory_bytes_; }  ///< of working memory, beside scratch memory
  std::size_t scratch_stride() const;                         ///< bytes of scratch memory per thread

  /// Runs it.
  /// \param in one pointer per input of the loop. \param out one per output, null where it is not wanted.
  /// \param memory of memory_bytes(), aligned as the pool aligns. \param scratch of scratch_stride() for each of \p threads
  /// threads.
  void run(void* const* in, void* const* out, std::byte* memory, std::byte* scratch, int threads) const;

 private:
  struct Carry {
    std::size_t bytes;
    std::size_t offset;        // of a buffer in the working memory
    std::size_t other_offset;  // of a second one, where the output is not wanted
    bool in_place;             // a step may write over it
    std::size_t home;          // the result that has its values row by row, in which it stays; or `none`
    bool comes_before;         // that result has the value before each step, not the one after it
  };
  struct Rows {
    std::size_t number;  // of the input or output of the loop
    std::size_t bytes;   // of one row
    bool is_home;        // a carry is in it
  };
  /// Steps that run in one go.
  struct Round {
    std::shared_ptr<const NestedPlan> plan;
    std::int64_t steps;
    std::size_t in_offset;  // of pointers, in the working memory
    std::size_t out_offset;
  };
  class Running;
  static constexpr std::size_t none = ~std::size_t{0};

  void find_homes(const Loop& loop);
  bool wants_only_values_before_steps(const std::vector<bool>& wanted) const;
  void lay_out();

  std::vector<Round> rounds_;  // the longest first
  std::int64_t steps_;
  std::int64_t needless_steps_;  // the last ones, of which nothing is wanted
  bool reverse_;
  bool stops_;
  bool counted_;
  std::size_t input_count_;
  std::size_t captured_;  // how many inputs are
  std::vector<Carry> carries_;
  std::vector<Rows> slices_;
  std::vector<Rows> results_;  // those that are wanted
  std::size_t index_offset_ = 0;
  std::size_t memory_bytes_ = 0;
};

}  // namespace xgrad::plan
