#include "autograd/plan/report/measure_scaling.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "autograd/plan/report/report.hpp"
#include "autograd/plan/report/scaling_model.hpp"
#include "autograd/runtime/cpu.hpp"
#include "autograd/runtime/floating_mode.hpp"
#include "autograd/runtime/job_recorder.hpp"
#include "autograd/runtime/meeting.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/workers.hpp"

namespace xgrad::plan {

namespace {

constexpr int most_workers = 64;
constexpr double seconds_per_barrier = 0.03;  // that it is measured for

/// Notes when phases begin, and the groups that are called on the calling thread.
class PhaseMarks final : public Profiler {
 public:
  struct Mark {
    std::int64_t time;
    std::uint32_t phase, group;
    std::size_t first_job;
  };

  PhaseMarks(const Executable& plan, const runtime::JobRecorder& jobs) : jobs_(jobs) {
    marks_.reserve(2 + plan.phase_count() + plan.schedule().groups.size());
    enter(Stretch::none, Stretch::none);
  }

  bool times_kernels() const override { return false; }
  void add(std::uint32_t, int, std::int64_t, std::int64_t) override {}
  void enter(std::uint32_t phase, std::uint32_t group) override {
    marks_.push_back({runtime::JobRecorder::now(), phase, group, jobs_.job_count()});
  }

  const std::vector<Mark>& marks() const { return marks_; }

 private:
  const runtime::JobRecorder& jobs_;
  std::vector<Mark> marks_;
};

double seconds_between(std::int64_t begin_ns, std::int64_t end_ns) {
  return static_cast<double>(end_ns - begin_ns) / 1e9;
}

/// The pieces of one job, as \p workers take them, and when it was over.
Stretch shared_stretch(const Executable& plan, const PhaseMarks::Mark& mark, std::span<const std::int64_t> stamps,
                       int workers) {
  Stretch stretch{mark.phase, true};
  for (std::size_t i = 1; i < stamps.size(); ++i) {
    stretch.seconds.push_back(seconds_between(stamps[i - 1], stamps[i]));
  }
  if (mark.group != Stretch::none) {
    stretch.groups.assign(stretch.seconds.size(), mark.group);
  } else if (mark.phase != Stretch::none) {
    const Stage& stage = plan.stage(mark.phase);
    const auto count = static_cast<std::int64_t>(stretch.seconds.size());
    const bool of_kernel = !stage.is_parallel() || stage.units(workers) != count;
    for (std::int64_t unit = 0; unit < count; ++unit) {
      stretch.groups.push_back(of_kernel ? plan.costliest_of(mark.phase) : stage.group_of(unit, workers));
    }
  }
  return stretch;
}

/// What one group that is called alone, or all that share a phase, took from \p mark to \p end.
void add_stretches(const Executable& plan, const PhaseMarks::Mark& mark, const PhaseMarks::Mark& end,
                   const runtime::JobRecorder& jobs, std::vector<Stretch>& run) {
  double alone = seconds_between(mark.time, end.time);
  for (std::size_t job = mark.first_job; job < end.first_job; ++job) {
    const std::span<const std::int64_t> stamps = jobs.stamps(job);
    run.push_back(shared_stretch(plan, mark, stamps, jobs.threads()));
    alone -= seconds_between(stamps.front(), stamps.back());
  }
  if (mark.group != Stretch::none) {
    run.push_back({mark.phase, false, {alone}, {mark.group}});
  } else if (mark.phase != Stretch::none && mark.first_job == end.first_job) {
    run.push_back({mark.phase, false, {alone}, {plan.costliest_of(mark.phase)}});
  } else {
    run.push_back({Stretch::none, false, {alone}});  // around the pieces
  }
}

/// Runs a plan again and again, as training does: what it writes is what the next run reads.
class Repeated {
 public:
  using Explain = std::function<void(const NotFiniteError&, const std::vector<Array>&)>;

  Repeated(const Executable& plan, std::vector<Array> arguments, const Explain& explain)
      : plan_(plan), arguments_(std::move(arguments)), explain_(explain) {}

  void run(Profiler* profiler) {
    const std::vector<std::uint32_t>& replaces = plan_.draft().replaces;
    Run run(plan_);
    bool writes = false;
    for (std::size_t i = 0; i < replaces.size(); ++i) {
      writes = writes || replaces[i] != Draft::none;
      if (replaces[i] != Draft::none && arguments_[replaces[i]].buffer()->use_count() == 1) {
        run.may_overwrite(i);
      }
    }
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      run.argument(i) = arguments_[i];
    }
    run.prepare();
    {
      const runtime::FloatingModeScope scope(writes ? runtime::flushing_subnormals() : runtime::floating_mode());
      try {
        run.execute(profiler);
      } catch (const NotFiniteError& error) {
        explain_(error, arguments_);
      }
      if (profiler != nullptr) {
        profiler->enter(Stretch::none, Stretch::none);  // what follows belongs to no phase
      }
    }
    for (std::size_t i = 0; i < replaces.size(); ++i) {
      if (replaces[i] != Draft::none) {
        arguments_[replaces[i]] = run.result(i);
      }
    }
  }

  double seconds_on(int threads) {
    const runtime::ThreadLimit limit(threads);
    const std::int64_t begin = runtime::JobRecorder::now();
    run(nullptr);
    return seconds_between(begin, runtime::JobRecorder::now());
  }

  /// On one thread, cut as \p workers would share it out.
  std::vector<Stretch> recorded(int workers) {
    runtime::JobRecorder jobs(workers, stamps_);
    PhaseMarks marks(plan_, jobs);
    run(&marks);
    marks.enter(Stretch::none, Stretch::none);
    stamps_ = jobs.stamp_count();
    std::vector<Stretch> stretches;
    for (std::size_t i = 0; i + 1 < marks.marks().size(); ++i) {
      add_stretches(plan_, marks.marks()[i], marks.marks()[i + 1], jobs, stretches);
    }
    return stretches;
  }

 private:
  const Executable& plan_;
  std::vector<Array> arguments_;
  const Explain& explain_;
  std::size_t stamps_ = 0;  // of the run before
};

/// 1, 2, 4 and so on, and \p threads.
std::vector<int> worker_counts(int threads) {
  std::vector<int> counts;
  for (int count = 1; count <= most_workers; count *= 2) {
    counts.push_back(count);
  }
  if (std::find(counts.begin(), counts.end(), threads) == counts.end()) {
    counts.insert(std::lower_bound(counts.begin(), counts.end(), threads), threads);
  }
  return counts;
}

/// Whether a run is cut alike for both numbers of workers. Of plans inside this one that is not known.
bool is_cut_alike(const Executable& plan, int workers, int others) {
  bool alike = std::all_of(plan.draft().steps.begin(), plan.draft().steps.end(),
                           [](const Step& step) { return step.nested.empty(); });
  for (std::uint32_t phase = 0; phase < plan.phase_count() && alike; ++phase) {
    alike = plan.stage(phase).is_cut_alike(workers, others);
  }
  return alike;
}

/// What was measured for the rows of a report.
struct Measured {
  std::vector<std::vector<Stretch>> runs;    // per row: piece by piece, on one thread
  std::vector<std::vector<double>> seconds;  // per row for which there are threads: of each run
};

Measured measure(const Executable& plan, Repeated& repeated, const ScalingReport& report, std::size_t measured_rows) {
  const std::vector<ScalingRow>& rows = report.rows;
  std::vector<std::size_t> cut_as(rows.size());  // the first row whose pieces are the same
  for (std::size_t i = 1; i < rows.size(); ++i) {
    cut_as[i] = is_cut_alike(plan, rows[i - 1].workers, rows[i].workers) ? cut_as[i - 1] : i;
  }
  repeated.recorded(1);  // takes what memory the kernels want for themselves, and the arguments' place
  std::vector<std::vector<std::vector<Stretch>>> recorded(rows.size());
  Measured measured{{}, std::vector<std::vector<double>>(measured_rows)};
  for (int repetition = 0; repetition < report.repetitions; ++repetition) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (cut_as[i] == i) {
        recorded[i].push_back(repeated.recorded(rows[i].workers));
      }
    }
    for (std::size_t i = 0; i < measured_rows; ++i) {
      measured.seconds[i].push_back(repeated.seconds_on(rows[i].workers));
    }
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    measured.runs.push_back(cut_as[i] == i ? median_of(recorded[i]) : measured.runs[cut_as[i]]);
  }
  return measured;
}

/// The operations of a group, and the line of the first: `matmul+add+relu at train.cpp:12`.
std::string group_title(const Executable& plan, std::uint32_t number) {
  constexpr std::size_t longest = 60;
  const std::vector<std::uint32_t>& steps = plan.schedule().groups[number].steps;
  std::string names;
  for (const std::uint32_t step : steps) {
    names += (names.empty() ? "" : "+") + plan.draft().steps[step].name;
  }
  if (names.size() > longest) {
    names = names.substr(0, longest) + "...";
  }
  return names + step_title(plan, steps[0]).substr(plan.draft().steps[steps[0]].name.size());
}

std::string limit_text(const Executable& plan, const Prediction& prediction, int workers) {
  const Loss& loss = prediction.largest;
  const double percent = 100 * loss.seconds / prediction.seconds;
  switch (loss.kind) {
    case Loss::Kind::none: return "";
    case Loss::Kind::barriers:
      return phrase("{} barrier{} of {:.2f} us, {:.0f} %", loss.count, loss.count == 1 ? "" : "s",
                    loss.seconds / static_cast<double>(loss.count) * 1e6, percent);
    case Loss::Kind::alone:
      return loss.phase == Stretch::none
                 ? phrase("what the calling thread does around the pieces, {:.0f} %", percent)
                 : phrase("phase {}: one thread, {}, {:.0f} %", loss.phase, group_title(plan, loss.group), percent);
    case Loss::Kind::pieces:
      return phrase("phase {}: {} piece{} of {}{}, {:.0f} %", loss.phase, loss.count, loss.count == 1 ? "" : "s",
                    group_title(plan, loss.group), loss.count < workers ? "" : ", which do not come out even", percent);
  }
  return "";
}

}  // namespace

ScalingReport measure_scaling(
    const Executable& plan, std::vector<Array> arguments, int repetitions,
    const std::function<void(const NotFiniteError& error, const std::vector<Array>& read)>& explain) {
  const int threads = runtime::num_threads();
  const int here = std::min(threads, std::max(1, runtime::cpu_info().usable));
  ScalingReport report;
  report.repetitions = repetitions;
  std::size_t measured_rows = 0;
  std::vector<Barrier> barriers;
  for (const int workers : worker_counts(here)) {
    report.rows.push_back({.workers = workers});
    measured_rows += workers <= here ? 1 : 0;
    if (workers > 1 && workers <= here) {
      barriers.push_back({workers, runtime::meeting_seconds(workers, seconds_per_barrier)});
    }
  }
  report.barrier_threads = barriers.empty() ? 0 : barriers.back().threads;
  report.barrier_seconds = barrier_of(barriers, std::max(2, report.barrier_threads));

  Repeated repeated(plan, std::move(arguments), explain);
  const Measured measured = measure(plan, repeated, report, measured_rows);
  double alone = std::numeric_limits<double>::max();  // one thread may compute pieces that are cut for any number
  for (const std::vector<Stretch>& run : measured.runs) {
    alone = std::min(alone, predict(run, barriers, 1).seconds);
  }
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    ScalingRow& row = report.rows[i];
    const Prediction prediction = predict(measured.runs[i], barriers, row.workers);
    row.seconds = row.workers == 1 ? alone : prediction.seconds;
    row.speedup = alone / row.seconds;
    row.limit = limit_text(plan, prediction, row.workers);
    if (i < measured_rows) {  // others interrupt runs, but few pieces
      row.measured = *std::min_element(measured.seconds[i].begin(), measured.seconds[i].end());
    }
  }
  return report;
}

}  // namespace xgrad::plan
