#pragma once

#include <cstddef>
#include <cstdint>

#include "autograd/kernels/isa/fused.hpp"

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
#if defined(__AVX512F__)
  const unsigned mask = (1U << count) - 1;
  if constexpr (sizeof(T) == sizeof(float)) {
    return _mm512_mask_loadu_ps(Batch<T>(rest), static_cast<__mmask16>(mask), from);
  } else {
    return _mm512_mask_loadu_pd(Batch<T>(rest), static_cast<__mmask8>(mask), from);
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == sizeof(float)) {
    const __m256i known = _mm256_set1_epi32(static_cast<int>(count));
    const __m256i mask = _mm256_cmpgt_epi32(known, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    return _mm256_blendv_ps(Batch<T>(rest), _mm256_maskload_ps(from, mask), _mm256_castsi256_ps(mask));
  } else {
    const __m256i mask = _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
    return _mm256_blendv_pd(Batch<T>(rest), _mm256_maskload_pd(from, mask), _mm256_castsi256_pd(mask));
  }
#else
  alignas(64) T buffer[lanes<T>];
  for (std::int64_t i = 0; i < lanes<T>; ++i) {
    buffer[i] = i < count ? from[i] : rest;
  }
  return Batch<T>::load_aligned(buffer);
#endif
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
