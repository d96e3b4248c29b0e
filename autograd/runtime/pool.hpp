#pragma once

#include <cstddef>

/// \file
/// Memory that is handed back and forth many times a step: freed blocks are kept by size for the next request.

namespace xgrad::runtime {

/// Alignment of every block in bytes: one cache line, one AVX-512 register.
inline constexpr std::size_t alignment = 64;
/// \p bytes, rounded up to whole blocks of the alignment.
constexpr std::size_t aligned(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

/// An aligned block of at least \p bytes. Thread-safe. \throws std::bad_alloc when the system has no more memory.
void* allocate(std::size_t bytes);

/// Gives back a block from allocate, called with the same \p bytes. Thread-safe, from any thread.
void deallocate(void* block, std::size_t bytes) noexcept;

/// What the pool holds at this moment, in bytes.
struct PoolStatus {
  std::size_t in_use = 0;  ///< handed out
  std::size_t cached = 0;  ///< freed and kept for the next request
};

/// Counts the blocks of all sizes, whichever thread asked for them.
PoolStatus pool_status();

/// Empties every Cache, of formulas and of what else can be made again, and returns all cached blocks to the system.
void release_cached_memory() noexcept;

}  // namespace xgrad::runtime
