#pragma once

#include <cstddef>
#include <cstdint>

#include <xsimd/xsimd.hpp>

/// \file
/// Vectors of this instruction set.

namespace xgrad::kernels::XGRAD_ISA {

template <class T>
using Batch = xsimd::batch<T>;

template <class T>
inline constexpr std::int64_t lanes = static_cast<std::int64_t>(Batch<T>::size);

template <class T>
Batch<T> load(const T* from) {
  return Batch<T>::load_unaligned(from);
}

template <class T>
void store(T* to, const Batch<T>& x) {
  x.store_unaligned(to);
}

/// The first \p count lanes from memory, the others \p rest; reads nothing beyond them.
template <class T>
Batch<T> load_partial(const T* from, std::int64_t count, T rest) {
  alignas(64) T buffer[lanes<T>];
  for (std::int64_t i = 0; i < lanes<T>; ++i) {
    buffer[i] = i < count ? from[i] : rest;
  }
  return Batch<T>::load_aligned(buffer);
}

/// Stores the first \p count lanes and touches nothing beyond them.
template <class T>
void store_partial(T* to, const Batch<T>& x, std::int64_t count) {
  alignas(64) T buffer[lanes<T>];
  x.store_aligned(buffer);
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = buffer[i];
  }
}

inline std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

}  // namespace xgrad::kernels::XGRAD_ISA
