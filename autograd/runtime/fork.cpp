#include "autograd/runtime/fork.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

#include <pthread.h>

#include "autograd/runtime/pool.hpp"

namespace xgrad::runtime {

namespace {

struct alignas(alignment) OneLock {
  SpinLock lock;
};
std::array<OneLock, 64> shared_locks;

bool workers_are_locked = false;  // of the thread that forks: others wait for the caches' locks

// A job holds the workers' lock, and may take all others; caches are destroyed, and pool blocks given back, under none.
void before() {
  const bool locked = detail::lock_workers();
  detail::lock_caches();
  for (OneLock& each : shared_locks) {
    each.lock.lock();
  }
  detail::lock_pool();
  workers_are_locked = locked;
}

void unlock_what_is_small() {
  detail::unlock_pool();
  for (OneLock& each : shared_locks) {
    each.lock.unlock();
  }
  detail::unlock_caches();
}

void in_parent() {
  const bool locked = workers_are_locked;
  unlock_what_is_small();
  if (locked) {
    detail::unlock_workers();
  }
}

void in_child() {
  detail::forget_workers();
  in_parent();
}

}  // namespace

void prepare_for_forks() { static const int registered [[maybe_unused]] = pthread_atfork(before, in_parent, in_child); }

SpinLock& lock_of(const void* object) {
  const std::uint64_t line = reinterpret_cast<std::uintptr_t>(object) / alignment;
  return shared_locks[(line * 0x9E3779B97F4A7C15U) >> 58].lock;
}

}  // namespace xgrad::runtime
