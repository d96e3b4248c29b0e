#include "autograd/runtime/pool.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

#include "autograd/runtime/cache.hpp"
#include "autograd/runtime/fork.hpp"
#include "autograd/runtime/spin_lock.hpp"

// The address sanitizer's runtime, where it is linked in: it reports the use of a block that lies in the pool.
extern "C" {
void __asan_poison_memory_region(const volatile void* begin, std::size_t size) __attribute__((weak));
void __asan_unpoison_memory_region(const volatile void* begin, std::size_t size) __attribute__((weak));
}

namespace xgrad::runtime {

namespace {

void poison(const void* begin, std::size_t size) {
  if (__asan_poison_memory_region != nullptr) {
    __asan_poison_memory_region(begin, size);
  }
}

void unpoison(const void* begin, std::size_t size) {
  if (__asan_unpoison_memory_region != nullptr) {
    __asan_unpoison_memory_region(begin, size);
  }
}

// Sizes up to 256 bytes go up in cache lines; every further power of two is cut in four.
constexpr std::size_t small_limit = 256;
constexpr std::size_t small_classes = small_limit / alignment;
constexpr std::size_t class_count = small_classes + 4 * (64 - 8);
constexpr std::size_t largest_bytes = std::size_t{1} << 47;
constexpr std::size_t cache_limit = std::size_t{1} << 30;

struct SizeClass {
  std::size_t index;
  std::size_t bytes;
};

SizeClass class_of(std::size_t bytes) {
  if (bytes <= small_limit) {
    const std::size_t lines = bytes == 0 ? 1 : (bytes + alignment - 1) / alignment;
    return {lines - 1, lines * alignment};
  }
  const auto power = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 1;  // 2^power < bytes <= 2^(power + 1)
  const std::size_t quarter = std::size_t{1} << (power - 2);
  const std::size_t quarters = (bytes - 1) / quarter + 1;  // 5 to 8
  return {small_classes + 4 * (power - 8) + quarters - 5, quarters * quarter};
}

struct FreeBlock {
  FreeBlock* next;
};

/// The freed blocks of one size. Each list has its own lock: threads rarely want the same size at the same moment.
struct alignas(alignment) FreeList {
  SpinLock lock;
  FreeBlock* first = nullptr;
  std::size_t cached = 0;       // bytes
  std::size_t in_use = 0;       // bytes
  std::uint64_t last_used = 0;  // the time when a block was asked for
};

struct Pool {
  FreeList lists[class_count];
  std::atomic<std::size_t> cached{0};
  std::atomic<std::uint64_t> time{0};  // goes on whenever no block of the right size is free
};

/// Never destroyed: buffers in static variables are given back at the very end of the program.
Pool& pool() {
  alignas(Pool) static std::byte storage[sizeof(Pool)];
  static Pool* const instance = [] {
    prepare_for_forks();
    return new (storage) Pool;
  }();
  return *instance;
}

void release_blocks(FreeList& list) noexcept {
  FreeBlock* block = nullptr;
  std::size_t bytes = 0;
  {
    const std::lock_guard guard(list.lock);
    block = std::exchange(list.first, nullptr);
    bytes = std::exchange(list.cached, 0);
  }
  pool().cached.fetch_sub(bytes, std::memory_order_relaxed);
  while (block != nullptr) {
    FreeBlock* next = block->next;
    std::free(block);
    block = next;
  }
}

// Of the sizes that nobody has asked for the longest time, until a quarter of the limit is free.
void release_oldest_blocks() noexcept {
  std::array<std::pair<std::uint64_t, std::size_t>, class_count> by_age;
  for (std::size_t i = 0; i < class_count; ++i) {
    const std::lock_guard guard(pool().lists[i].lock);
    by_age[i] = {pool().lists[i].last_used, i};
  }
  std::sort(by_age.begin(), by_age.end());
  for (const auto& [time, i] : by_age) {
    if (pool().cached.load(std::memory_order_relaxed) <= cache_limit / 4 * 3) {
      return;
    }
    release_blocks(pool().lists[i]);
  }
}

void* from_system(std::size_t bytes) {
  if (void* block = std::aligned_alloc(alignment, bytes)) {
    return block;
  }
  release_cached_memory();
  if (void* block = std::aligned_alloc(alignment, bytes)) {
    return block;
  }
  throw std::bad_alloc();
}

}  // namespace

void* allocate(std::size_t bytes) {
  if (bytes > largest_bytes) {
    throw std::bad_alloc();
  }
  const SizeClass size = class_of(bytes);
  FreeList& list = pool().lists[size.index];
  FreeBlock* block = nullptr;
  {
    const std::lock_guard guard(list.lock);
    list.in_use += size.bytes;
    list.last_used = pool().time.load(std::memory_order_relaxed);
    block = list.first;
    if (block != nullptr) {
      list.first = block->next;
      list.cached -= size.bytes;
    }
  }
  if (block != nullptr) {
    pool().cached.fetch_sub(size.bytes, std::memory_order_relaxed);
    unpoison(block, bytes);
    return block;
  }
  pool().time.fetch_add(1, std::memory_order_relaxed);
  try {
    void* fresh = from_system(size.bytes);
    poison(static_cast<std::byte*>(fresh) + bytes, size.bytes - bytes);
    return fresh;
  } catch (...) {
    const std::lock_guard guard(list.lock);
    list.in_use -= size.bytes;
    throw;
  }
}

void deallocate(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) {
    return;
  }
  const SizeClass size = class_of(bytes);
  FreeList& list = pool().lists[size.index];
  if (pool().cached.fetch_add(size.bytes, std::memory_order_relaxed) + size.bytes > cache_limit) {
    release_oldest_blocks();
  }
  unpoison(block, sizeof(FreeBlock));
  auto* freed = new (block) FreeBlock;
  poison(static_cast<std::byte*>(block) + sizeof(FreeBlock), size.bytes - sizeof(FreeBlock));
  const std::lock_guard guard(list.lock);
  freed->next = list.first;
  list.first = freed;
  list.cached += size.bytes;
  list.in_use -= size.bytes;
}

PoolStatus pool_status() {
  PoolStatus status;
  for (FreeList& list : pool().lists) {
    const std::lock_guard guard(list.lock);
    status.in_use += list.in_use;
    status.cached += list.cached;
  }
  return status;
}

namespace detail {

void lock_pool() {
  for (FreeList& list : pool().lists) {
    list.lock.lock();
  }
}

void unlock_pool() {
  for (FreeList& list : pool().lists) {
    list.lock.unlock();
  }
}

}  // namespace detail

// The caches first: what they held goes back to the pool.
void release_cached_memory() noexcept {
  detail::empty_caches();
  for (FreeList& list : pool().lists) {
    release_blocks(list);
  }
}

}  // namespace xgrad::runtime
