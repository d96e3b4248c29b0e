#pragma once

#include <mutex>
#include <vector>

#include "autograd/plan/report/profile.hpp"
#include "autograd/plan/run/executable.hpp"

/// \file
/// How the time of a plan's kernels is taken.

namespace xgrad::plan {

/// Keeps when each piece of each kernel ran.
class RecordingProfiler final : public Profiler {
 public:
  void add(std::uint32_t step, int thread, std::int64_t begin_ns, std::int64_t end_ns) override;
  void begin_run();
  void end_run();
  /// What was measured, over all runs of \p plan so far.
  Profile finish(const Executable& plan, int threads) const;

 private:
  std::mutex mutex_;
  std::vector<KernelEvent> events_;
  std::size_t begin_of_last_ = 0;  // run, in events_
  std::int64_t now_ = 0;
  std::int64_t first_run_ = 0;
  std::int64_t run_ns_ = 0;
  int repetitions_ = 0;
};

}  // namespace xgrad::plan
