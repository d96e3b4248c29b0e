#pragma once

#include <chrono>
#include <thread>

/// \file
/// How threads wait for each other.

namespace xgrad::runtime {

using Clock = std::chrono::steady_clock;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Waits in three stages: at first in the shortest way, then leaving the core to whoever else wants it, and in the end
/// not at all, which tells the caller to sleep. (Waking a sleeping thread takes longer than most kernels.)
class Patience {
 public:
  /// Whether the shortest way has taken long enough.
  bool yields() const { return rounds_ > spin_rounds; }

  /// Waits a moment. \return false when it is time to sleep.
  bool wait() {
    if (++rounds_ <= spin_rounds) {
      pause();
      return true;
    }
    const auto now = Clock::now();
    if (rounds_ == spin_rounds + 1) {
      start_ = now;
    }
    std::this_thread::yield();
    return now - start_ < yield_time;
  }

 private:
  static constexpr int spin_rounds = 400;  // about 10 microseconds
  static constexpr std::chrono::milliseconds yield_time{2};

  int rounds_ = 0;
  Clock::time_point start_;
};

}  // namespace xgrad::runtime
