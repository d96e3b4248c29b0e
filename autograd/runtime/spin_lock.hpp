#pragma once

#include <atomic>
#include <thread>

namespace xgrad::runtime {

/// For what takes a few instructions and is nearly always free: a std::mutex would cost more than what it guards.
class SpinLock {
 public:
  void lock() noexcept {
    while (taken_.exchange(true, std::memory_order_acquire)) {
      std::this_thread::yield();
    }
  }
  void unlock() noexcept { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_{false};
};

}  // namespace xgrad::runtime
