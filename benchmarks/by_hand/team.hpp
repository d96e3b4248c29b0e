#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include <autograd/runtime/blas.hpp>

namespace by_hand {

/// Where all threads of a team wait for each other: spinning at first, then leaving the core to others.
class Barrier {
 public:
  explicit Barrier(int threads) : threads_(threads) {}

  void wait() {
    const unsigned round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      return;
    }
    for (int i = 0; round_.load(std::memory_order_acquire) == round; ++i) {
      if (i >= spins) {
        std::this_thread::yield();
      }
    }
  }

 private:
  static constexpr int spins = 20'000;

  const int threads_;
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<unsigned> round_{0};
};

/// Calls \p body(worker) for every worker in [0, threads), each on a thread of its own, the first on the caller's.
template <class F>
void run_on_all(int threads, const F& body) {
  std::vector<std::jthread> others;
  for (int worker = 1; worker < threads; ++worker) {
    others.emplace_back([&body, worker] {
      xgrad::runtime::make_blas_serial_on_this_thread();
      body(worker);
    });
  }
  body(0);
}

/// What worker number \p worker has of \p count things.
struct Range {
  int first;
  int last;
  int size() const { return last - first; }
};
inline Range share_of(int count, int worker, int threads) {
  return {count / threads * worker, worker + 1 == threads ? count : count / threads * (worker + 1)};
}

}  // namespace by_hand
