#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

/// \file
/// How the calling thread rounds, and what it makes of numbers next to zero. Pieces of a parallel_for run in the mode of the
/// thread that called it, on whatever thread: otherwise results would depend on who computes them.

namespace xgrad::runtime {

#if defined(__SSE2__)
using FloatingMode = std::uint32_t;
inline constexpr FloatingMode flush_bits = 0x8040;                                  // of results and of operands
inline FloatingMode floating_mode() { return _mm_getcsr() & ~FloatingMode{0x3F}; }  // without what has happened so far
inline void set_floating_mode(FloatingMode mode) { _mm_setcsr(mode); }
#elif defined(__aarch64__)
using FloatingMode = std::uint64_t;
inline constexpr FloatingMode flush_bits = FloatingMode{1} << 24;
inline FloatingMode floating_mode() {
  FloatingMode mode;
  asm volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
inline void set_floating_mode(FloatingMode mode) { asm volatile("msr fpcr, %0" : : "r"(mode)); }
#else
using FloatingMode = std::uint32_t;
inline constexpr FloatingMode flush_bits = 0;
inline FloatingMode floating_mode() { return 0; }
inline void set_floating_mode(FloatingMode) {}
#endif

/// While it lives, the calling thread computes in another mode.
class FloatingModeScope {
 public:
  explicit FloatingModeScope(FloatingMode mode) : before_(floating_mode()), changes_(mode != before_) {
    if (changes_) {
      set_floating_mode(mode);
    }
  }
  FloatingModeScope(const FloatingModeScope&) = delete;
  FloatingModeScope& operator=(const FloatingModeScope&) = delete;
  ~FloatingModeScope() {
    if (changes_) {
      set_floating_mode(before_);
    }
  }

 private:
  FloatingMode before_;
  bool changes_;
};

/// The present mode, but subnormal numbers (in float32 below 1.2e-38) count as zero: how new contents of variables are
/// computed. A core takes up to a hundred times as
/// long for them as for others, and training makes many: the moments of a weight whose gradient is zero by now shrink for
/// ever.
inline FloatingMode flushing_subnormals() { return floating_mode() | flush_bits; }

}  // namespace xgrad::runtime
