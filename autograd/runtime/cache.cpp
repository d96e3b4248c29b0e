#include "autograd/runtime/cache.hpp"

#include <condition_variable>

#include "autograd/runtime/fork.hpp"

namespace xgrad::runtime::detail {

namespace {

struct Registry {
  std::mutex mutex;
  std::condition_variable left_alone;
  Emptied* first = nullptr;
};

/// Never destroyed: caches in static variables leave it at the very end of the program.
Registry& registry() {
  static auto& instance = *new Registry;
  return instance;
}

}  // namespace

void Emptied::enter() {
  const std::lock_guard lock(registry().mutex);
  next_ = registry().first;
  if (next_ != nullptr) {
    next_->previous_ = this;
  }
  registry().first = this;
}

void Emptied::leave() noexcept {
  std::unique_lock lock(registry().mutex);
  registry().left_alone.wait(lock, [this] { return visitors_ == 0; });
  (previous_ == nullptr ? registry().first : previous_->next_) = next_;
  if (next_ != nullptr) {
    next_->previous_ = previous_;
  }
}

// The list is not locked while a cache is emptied: what it held may own caches, too. A cache with a visitor stays in the
// list, so the walk can go on from there.
void empty_caches() noexcept {
  std::unique_lock lock(registry().mutex);
  for (Emptied* each = registry().first; each != nullptr;) {
    ++each->visitors_;
    lock.unlock();
    each->clear();
    lock.lock();
    Emptied* const next = each->next_;
    if (--each->visitors_ == 0) {
      registry().left_alone.notify_all();
    }
    each = next;
  }
}

// The list is locked first, as nobody waits for it with a cache's lock in hand.
void lock_caches() {
  registry().mutex.lock();
  for (Emptied* each = registry().first; each != nullptr; each = each->next_) {
    each->mutex().lock();
  }
}

void unlock_caches() {
  for (Emptied* each = registry().first; each != nullptr; each = each->next_) {
    each->mutex().unlock();
  }
  registry().mutex.unlock();
}

}  // namespace xgrad::runtime::detail
