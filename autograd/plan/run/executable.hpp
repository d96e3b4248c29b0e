#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "autograd/graph/description.hpp"
#include "autograd/plan/run/stage.hpp"
#include "autograd/plan/schedule/memory.hpp"
#include "autograd/plan/steps/kernel.hpp"
#include "autograd/plan/steps/nested_plan.hpp"

/// \file
/// A plan in the form in which it runs.

namespace xgrad::plan {

/// The kernel of step number \p step.
std::unique_ptr<const Kernel> bind_kernel(const Draft& draft, const MemoryPlan& memory, std::uint32_t step);
/// Which numbers the bases of a plan have.
struct BaseNumbers {
  std::uint32_t constants, arena, outputs, nothing, count;
  explicit BaseNumbers(const Draft& draft, const MemoryPlan& memory);
};

/// Told of a run, what it asks for.
class Profiler {
 public:
  /// Whether every kernel is timed, and add called behind it.
  virtual bool times_kernels() const { return true; }
  /// What follows is phase number \p phase: the pieces of its groups, or all of \p group, where that is not Draft::none.
  virtual void enter([[maybe_unused]] std::uint32_t phase, [[maybe_unused]] std::uint32_t group) {}
  virtual void add(std::uint32_t step, int thread, std::int64_t begin_ns, std::int64_t end_ns) = 0;

 protected:
  ~Profiler() = default;
};

class Executable;

/// The memory of one run: an arena, from the pool and back to it, and room for the arguments and results, which the
/// executable keeps for the next run.
class Run {
 public:
  /// \param graph what this run computes, whose nodes errors name; null: that from which the plan was made.
  explicit Run(const Executable& executable, const Description* graph = nullptr);
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run();

  /// To be filled in: the elements of argument \p i.
  Array& argument(std::size_t i);
  /// To be set: output \p i may be written over the argument that it replaces, for that belongs to the caller alone.
  void may_overwrite(std::size_t i);
  /// Takes memory for the outputs, once the above has been filled in and set.
  void prepare();
  /// Computes, after prepare(). \throws what the kernels throw; then nothing has been written over an argument.
  void execute(Profiler* profiler = nullptr);
  /// Output \p i, whose elements are there after execute(); what is written over an argument shares its buffer.
  Array result(std::size_t i) const;

 private:
  friend class Executable;
  struct Lease;
  void take_lease();
  void take_arena();

  const Executable& executable_;
  const Description* graph_;
  std::unique_ptr<Lease> lease_;
};

/// Runs on any number of threads at once: each run has an arena of its own.
class Executable final : public NestedPlan {
 public:
  Executable(Draft draft, Schedule schedule, MemoryPlan memory);
  ~Executable();

  const Draft& draft() const override { return draft_; }
  const Schedule& schedule() const { return schedule_; }
  const MemoryPlan& memory() const { return memory_; }
  std::size_t phase_count() const override { return schedule_.phases.size(); }
  /// How the pieces of a phase are shared out.
  const Stage& stage(std::uint32_t phase) const { return stages_[phase]; }
  /// The group of a phase that is expected to take longest.
  std::uint32_t costliest_of(std::uint32_t phase) const;
  /// Arena, scratch and outputs of one run, in bytes.
  std::size_t peak_bytes() const;
  std::size_t scratch_stride() const override;
  double cost() const override;
  bool writes_in_place(std::size_t i) const override { return schedule_.in_place[i]; }
  std::size_t inside_bytes() const override;
  void run_inside(void* const* in, void* const* out, std::byte* memory, std::byte* scratch, int threads) const override;

 private:
  friend class Run;
  /// What all kernels of a run share.
  struct Context {
    Bases bases;
    std::byte* scratch;
    int threads;       // that scratch is for, from the calling thread on
    int first_thread;  // its number, which is not 0 when a piece runs this plan
    Profiler* profiler;
    const Description* graph;
  };
  void run_stage(const Stage& stage, const Context& context) const;
  void run_item(const Item& item, const Context& context) const;
  void run_kernel(std::uint32_t step, const Block& block, bool alone, const Context& context) const;

  Draft draft_;
  Schedule schedule_;
  MemoryPlan memory_;
  BaseNumbers numbers_;
  std::vector<std::unique_ptr<const Kernel>> kernels_;  // per step
  std::vector<Stage> stages_;

  mutable std::unique_ptr<Run::Lease> idle_;  // the first of a list
};

}  // namespace xgrad::plan
