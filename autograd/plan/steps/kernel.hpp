#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "autograd/array/fixed_vector.hpp"

/// \file
/// What a step of a plan is when it runs.

namespace xgrad::plan {

/// Where the memory of a run starts, room by room: arguments, constants, the arena, output buffers.
using Bases = std::byte* const*;

/// What a kernel reads or writes: found from the bases at every run, as variables and arguments move.
struct Operand {
  std::uint32_t base = 0;
  std::int64_t offset = 0;
  std::int64_t row_bytes = 0;  ///< in scratch: of one row; the block's first row lies at the offset
  bool in_scratch = false;

  /// The element at index 0, for a kernel that works on rows from \p first on.
  std::byte* at(Bases bases, std::byte* scratch, std::int64_t first) const {
    if (in_scratch) {  // only the block is there: index 0 is where it would be
      return reinterpret_cast<std::byte*>(reinterpret_cast<std::intptr_t>(scratch) + offset - first * row_bytes);
    }
    return bases[base] + offset;
  }
};

/// Where a kernel works: which rows, which slabs, and the memory.
struct Block {
  Bases bases;
  std::byte* scratch;
  std::int64_t first;
  std::int64_t last;
  std::int64_t slab;
  std::int64_t slabs;  ///< from \p slab on; more than one where they adjoin
  int threads;         ///< that scratch is for
};

/// One step, ready to run.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void run(const Block& block) const = 0;
  /// All of it, on all threads; called outside of pieces.
  virtual void run_alone(const Block& whole) const { run(whole); }
};

/// What a kernel reads, or what it writes.
using Operands = std::vector<Operand>;

/// Writes where \p operands are in one run to \p places, and gives the place behind.
inline void** put_pointers(const Operands& operands, const Block& block, void** places) {
  for (const Operand& operand : operands) {
    *places++ = operand.at(block.bases, block.scratch, block.first);
  }
  return places;
}

/// Where operands are in one run, on the stack.
class Pointers {
 public:
  Pointers(const Operands& operands, const Block& block)
      : pointers_(operands.size(),
                  [&](std::size_t i) -> void* { return operands[i].at(block.bases, block.scratch, block.first); }) {}
  void* const* data() const { return pointers_.span().data(); }
  void* operator[](std::size_t i) const { return pointers_[i]; }

 private:
  detail::FixedVector<void*, 16> pointers_;
};

}  // namespace xgrad::plan
