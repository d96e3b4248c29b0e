#include "counted_malloc.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include <dlfcn.h>

namespace {

std::atomic<long> counted = 0;
std::atomic<long> until_failure = 0;
std::atomic<bool> has_failed = false;

/// \return whether this request is the one that fails.
bool count_one() {
  ++counted;
  if (until_failure.load(std::memory_order_relaxed) > 0 && until_failure.fetch_sub(1) == 1) {
    has_failed = true;
    return true;
  }
  return false;
}

/// The C library's function of that name.
template <class F>
F* behind(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

/// What is asked for while the library's own functions are being looked up; never given back.
alignas(64) std::byte early_memory[16384];
std::size_t early_used = 0;

void* early(std::size_t bytes) {
  void* block = early_memory + early_used;
  early_used += (bytes + 63) / 64 * 64;
  return early_used <= sizeof(early_memory) ? block : nullptr;
}

bool is_early(const void* block) { return block >= early_memory && block < early_memory + sizeof(early_memory); }

bool looking_up = false;

/// Calls a function of the C library, unless it is to fail.
template <class F, class... Arguments>
void* forward(F*& function, const char* name, std::size_t bytes, Arguments... arguments) {
  if (count_one()) {
    errno = ENOMEM;
    return nullptr;
  }
  if (function == nullptr) {
    if (looking_up) {
      return early(bytes);
    }
    looking_up = true;
    function = behind<F>(name);
    looking_up = false;
  }
  return function(arguments...);
}

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) {
  static void* (*function)(std::size_t) = nullptr;
  return forward(function, "malloc", bytes, bytes);
}

void* calloc(std::size_t count, std::size_t bytes) {
  static void* (*function)(std::size_t, std::size_t) = nullptr;
  return forward(function, "calloc", count * bytes, count, bytes);
}

void* realloc(void* block, std::size_t bytes) {
  static void* (*function)(void*, std::size_t) = nullptr;
  return forward(function, "realloc", bytes, block, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  static void* (*function)(std::size_t, std::size_t) = nullptr;
  return forward(function, "aligned_alloc", bytes, alignment, bytes);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  *block = aligned_alloc(alignment, bytes);
  return *block == nullptr ? ENOMEM : 0;
}

void free(void* block) {
  static void (*function)(void*) = nullptr;
  if (is_early(block)) {
    return;
  }
  if (function == nullptr) {
    function = behind<void(void*)>("free");
  }
  function(block);
}

}  // extern "C"

namespace xgrad::testing {

long take_allocation_count() { return counted.exchange(0); }

void fail_at_allocation(long number) {
  has_failed = false;
  until_failure = number;
}

bool allocation_has_failed() { return has_failed; }

}  // namespace xgrad::testing
