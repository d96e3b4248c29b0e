#include "autograd/plan/report/scaling_model.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <numeric>
#include <queue>
#include <utility>

#include "autograd/runtime/job.hpp"

namespace xgrad::plan {

namespace {

// Of a thread, where none was measured: a cache line takes that long from core to core.
constexpr double guessed_seconds_per_thread = 250e-9;

/// The order in which a job's units are claimed.
class Claims {
 public:
  explicit Claims(const runtime::Job& job) : job_(job) {
    for (std::int64_t share = 0; share < job.shares; ++share) {
      next_.push_back(job.begin_of(share));
    }
  }

  /// The unit that thread \p self runs next, or -1 when all are taken.
  std::int64_t claim(std::int64_t self) {
    for (std::int64_t k = 0; k < job_.shares; ++k) {
      const std::int64_t owner = (self + k) % job_.shares;
      std::int64_t& next = next_[static_cast<std::size_t>(owner)];
      if (next < job_.begin_of(owner + 1)) {
        return next++;
      }
    }
    return -1;
  }

 private:
  runtime::Job job_;
  std::vector<std::int64_t> next_;
};

double sum_of(std::span<const double> numbers) { return std::accumulate(numbers.begin(), numbers.end(), 0.0); }

/// Adds what \p stretch loses to what its phase has lost; the group is that of where most is lost.
void add_loss(const Stretch& stretch, double lost, std::map<std::pair<std::uint32_t, Loss::Kind>, Loss>& losses,
              std::map<std::pair<std::uint32_t, Loss::Kind>, double>& most) {
  const std::pair key(stretch.phase, stretch.shared ? Loss::Kind::pieces : Loss::Kind::alone);
  Loss& loss = losses[key];
  loss.kind = key.second;
  loss.phase = key.first;
  loss.seconds += lost;
  if (stretch.groups.empty() || lost < most[key]) {
    return;
  }
  const auto longest = std::max_element(stretch.seconds.begin(), stretch.seconds.end()) - stretch.seconds.begin();
  if (stretch.groups[static_cast<std::size_t>(longest)] == Stretch::none) {
    return;  // a unit without pieces: nothing took any time
  }
  most[key] = lost;
  loss.group = stretch.groups[static_cast<std::size_t>(longest)];
  loss.count = std::count(stretch.groups.begin(), stretch.groups.end(), loss.group);
}

bool cut_alike(const std::vector<Stretch>& a, const std::vector<Stretch>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Stretch& one, const Stretch& other) {
    return one.phase == other.phase && one.shared == other.shared && one.groups == other.groups &&
           one.seconds.size() == other.seconds.size();
  });
}

}  // namespace

double Stretch::total() const { return sum_of(seconds); }

double finish_time(std::span<const double> pieces, int workers) {
  if (pieces.empty()) {
    return 0;
  }
  runtime::Job job;
  job.pieces = static_cast<std::int64_t>(pieces.size());
  job.unit = (job.pieces + runtime::Mark::most - 1) / runtime::Mark::most;
  job.shares = workers;
  Claims claims(job);
  using Moment = std::pair<double, std::int64_t>;  // and the thread that is free then
  std::priority_queue<Moment, std::vector<Moment>, std::greater<>> free;
  for (std::int64_t thread = 0; thread < workers; ++thread) {
    free.push({0, thread});
  }
  double end = 0;
  while (!free.empty()) {
    const auto [moment, thread] = free.top();
    free.pop();
    end = std::max(end, moment);
    const std::int64_t unit = claims.claim(thread);
    if (unit >= 0) {
      const std::int64_t first = unit * job.unit;
      const std::int64_t count = std::min(job.unit, job.pieces - first);
      free.push(
          {moment + sum_of(pieces.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count))), thread});
    }
  }
  return end;
}

double barrier_of(std::span<const Barrier> measured, int workers) {
  if (workers < 2) {
    return 0;
  }
  if (measured.empty()) {
    return guessed_seconds_per_thread * workers;
  }
  const auto next = std::find_if(measured.begin(), measured.end(),
                                 [workers](const Barrier& barrier) { return barrier.threads >= workers; });
  const Barrier& barrier = next == measured.end() ? measured.back() : *next;
  return barrier.seconds * workers / barrier.threads;
}

Prediction predict(std::span<const Stretch> run, std::span<const Barrier> barriers, int workers) {
  std::map<std::pair<std::uint32_t, Loss::Kind>, Loss> losses;
  std::map<std::pair<std::uint32_t, Loss::Kind>, double> most;
  Prediction prediction;
  Loss waiting{Loss::Kind::barriers};
  const double barrier = barrier_of(barriers, workers);
  for (const Stretch& stretch : run) {
    const double work = stretch.total();
    const double time = stretch.shared && workers > 1 ? finish_time(stretch.seconds, workers) : work;
    prediction.seconds += time;
    add_loss(stretch, time - work / workers, losses, most);
    if (stretch.shared && workers > 1) {
      prediction.seconds += barrier;
      waiting.seconds += barrier;
      ++waiting.count;
    }
  }
  prediction.largest = waiting.seconds > 0 ? waiting : Loss{};
  for (const auto& [key, loss] : losses) {
    if (workers > 1 && loss.seconds > prediction.largest.seconds) {
      prediction.largest = loss;
    }
  }
  return prediction;
}

double median(std::vector<double> numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

std::vector<Stretch> median_of(std::span<const std::vector<Stretch>> runs) {
  std::vector<Stretch> result = runs.back();
  std::vector<const std::vector<Stretch>*> alike;
  for (const std::vector<Stretch>& run : runs) {
    if (cut_alike(run, result)) {
      alike.push_back(&run);
    }
  }
  std::vector<double> numbers(alike.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    for (std::size_t piece = 0; piece < result[i].seconds.size(); ++piece) {
      std::transform(alike.begin(), alike.end(), numbers.begin(),
                     [&](const std::vector<Stretch>* run) { return (*run)[i].seconds[piece]; });
      result[i].seconds[piece] = median(numbers);
    }
  }
  return result;
}

}  // namespace xgrad::plan
