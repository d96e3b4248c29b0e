#include "autograd/runtime/meeting.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

#include <sched.h>
#include <unistd.h>

#include "autograd/runtime/cpu.hpp"
#include "autograd/runtime/waiting.hpp"
#include "autograd/runtime/workers.hpp"

namespace xgrad::runtime {

namespace {

double seconds_from(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Calls \p arrive in each of \p threads threads, which wait for each other then.
template <class F>
void meet_with(int threads, const F& arrive) {
  constexpr int rounds_before_yielding = 4096;
  constexpr double patience = 0.1;
  std::atomic<int> arrived = 0;
  const auto start = Clock::now();
  parallel_for(
      threads,
      [&](std::int64_t) {
        arrive();
        ++arrived;
        for (int round = 1; arrived < threads; ++round) {
          if (round % rounds_before_yielding == 0) {
            std::this_thread::yield();
            if (seconds_from(start) > patience) {
              return;
            }
          }
        }
      },
      threads);
}

/// While it lives, each thread is on a processor of its own, out of those that the calling one may use: on a core of its own,
/// if there are as many.
class SpreadOut {
 public:
  explicit SpreadOut(int threads) : threads_(static_cast<std::size_t>(threads)) {
    const std::vector<int> processors = allowed_processors(threads_.size());
    if (processors.size() < threads_.size()) {
      threads_.clear();
      return;
    }
    meet_with(threads, [this] {
      Thread& own = threads_[static_cast<std::size_t>(thread_number())];
      own.id = sched_getaffinity(0, sizeof(own.allowed), &own.allowed) == 0 ? gettid() : 0;
    });
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      cpu_set_t own;
      CPU_ZERO(&own);
      CPU_SET(static_cast<std::size_t>(processors[i]), &own);
      set(threads_[i].id, own);
    }
  }
  SpreadOut(const SpreadOut&) = delete;
  SpreadOut& operator=(const SpreadOut&) = delete;
  ~SpreadOut() {
    for (const Thread& thread : threads_) {
      set(thread.id, thread.allowed);
    }
  }

 private:
  struct Thread {
    pid_t id = 0;  ///< 0 of one that did not come to the meeting
    cpu_set_t allowed = {};
  };

  static std::vector<int> allowed_processors(std::size_t wanted) {
    cpu_set_t allowed;
    std::vector<int> all;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
      for (int i = 0; i < CPU_SETSIZE; ++i) {
        if (CPU_ISSET(static_cast<std::size_t>(i), &allowed)) {
          all.push_back(i);
        }
      }
    }
    std::vector<int> apart = one_of_each_core(all);
    return apart.size() < wanted ? all : apart;
  }

  static void set(pid_t id, const cpu_set_t& processors) {
    if (id != 0) {
      sched_setaffinity(id, sizeof(processors), &processors);
    }
  }

  std::vector<Thread> threads_;
};

}  // namespace

void meet(int threads) {
  meet_with(std::min(threads, num_threads()), [] {});
}

// The shortest meeting: in others a thread had to wait for its processor. On a busy machine it takes a while until two have
// theirs at the same time.
double meeting_seconds(int threads, double seconds) {
  constexpr double plausible = 20e-6;
  constexpr double patience = 20;
  const SpreadOut scope(std::min(threads, num_threads()));
  double best = std::numeric_limits<double>::infinity();
  const auto begin = Clock::now();
  for (double passed = 0; passed < seconds || (best > plausible && passed < patience * seconds);
       passed = seconds_from(begin)) {
    const auto start = Clock::now();
    meet(threads);
    best = std::min(best, seconds_from(start));
  }
  return best;
}

}  // namespace xgrad::runtime
