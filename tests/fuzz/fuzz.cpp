#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <sanitizer/allocator_interface.h>

#include "autograd/runtime/pool.hpp"
#include "tests/fuzz/targets.hpp"

/// \file
/// libFuzzer's side of a target, XGRAD_FUZZ_TARGET: it counts the memory that the reader holds at once.

namespace {

// Signed, as what was asked for before it is counted is given back, too.
std::atomic<std::int64_t> held = 0;
std::atomic<std::int64_t> most_held = 0;

void on_malloc(const volatile void*, std::size_t bytes) {
  const auto added = static_cast<std::int64_t>(bytes);
  const std::int64_t now = held.fetch_add(added) + added;
  std::int64_t most = most_held.load();
  while (now > most && !most_held.compare_exchange_weak(most, now)) {
  }
}

void on_free(const volatile void* block) {
  if (block != nullptr) {
    held -= static_cast<std::int64_t>(__sanitizer_get_allocated_size(block));
  }
}

const bool counts = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) != 0;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace xgrad;
  static const fuzz::Target& target = fuzz::target_named(XGRAD_FUZZ_TARGET);
  const std::span<const std::uint8_t> bytes(data, size);
  const std::int64_t before = held;
  most_held = before;
  fuzz::run(target, bytes);
  const auto held_at_once = static_cast<std::size_t>(most_held - before);
  runtime::release_cached_memory();  // so that the next file asks for all of its memory again
  if (!counts || held_at_once > fuzz::allowed_memory(target, bytes)) {
    std::fprintf(stderr, "%zu bytes held at once for a file of %zu; allowed are %zu\n", held_at_once, size,
                 fuzz::allowed_memory(target, bytes));
    std::abort();
  }
  return 0;
}
