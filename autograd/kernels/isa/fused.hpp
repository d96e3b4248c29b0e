#pragma once

#include <math.h>

#include <type_traits>

/// \file
/// Multiplication and addition, rounded once, for every instruction set.
///
/// The elementary functions are made of it, so all sets have to round alike. xsimd 8.1 does not use the instruction that
/// AVX-512 has, and SSE has none. What is missing is added to the build's own copy of xsimd's namespace, where xsimd's
/// functions find it: it is declared in front of them. Where xsimd has one of its own, that is the more special template.

#if defined(__AVX512F__) || (defined(__SSE2__) && !defined(__FMA__))

namespace xsimd {

#if defined(__AVX512F__)
struct avx512f;
using FusedSet = avx512f;
#else
struct sse2;
using FusedSet = sse2;
#endif

template <class T, class A>
class batch;

namespace kernel {

/// x y + z, x y - z, z - x y and -x y - z.
template <class A, class T>
batch<T, A> fma(const batch<T, A>& x, const batch<T, A>& y, const batch<T, A>& z, const FusedSet&) noexcept;
template <class A, class T>
batch<T, A> fms(const batch<T, A>& x, const batch<T, A>& y, const batch<T, A>& z, const FusedSet&) noexcept;
template <class A, class T>
batch<T, A> fnma(const batch<T, A>& x, const batch<T, A>& y, const batch<T, A>& z, const FusedSet&) noexcept;
template <class A, class T>
batch<T, A> fnms(const batch<T, A>& x, const batch<T, A>& y, const batch<T, A>& z, const FusedSet&) noexcept;

}  // namespace kernel

}  // namespace xsimd

#include <xsimd/xsimd.hpp>

namespace xsimd::kernel {

#if defined(__AVX512F__)

namespace fused {

inline __m512 fma(__m512 x, __m512 y, __m512 z) { return _mm512_fmadd_ps(x, y, z); }
inline __m512d fma(__m512d x, __m512d y, __m512d z) { return _mm512_fmadd_pd(x, y, z); }

}  // namespace fused

#else

namespace fused {

/// sum + rest, where rest is what rounding the sum has left, to odd: the last bit says that there was a rest. Numbers
/// rounded like that can be rounded once more, to fewer bits, as if it was the first time (S. Boldo and G. Melquiond,
/// Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd, 2008).
inline __m128d to_odd(__m128d sum, __m128d rest) {
  const __m128d zero = _mm_setzero_pd();
  const __m128d inexact = _mm_or_pd(_mm_cmplt_pd(rest, zero), _mm_cmpgt_pd(rest, zero));  // false for NaN
  const __m128i bits = _mm_castpd_si128(sum);
  const __m128i one = _mm_set1_epi64x(1);
  const __m128i even = _mm_sub_epi64(_mm_and_si128(bits, one), one);
  const __m128i signs = _mm_castpd_si128(_mm_xor_pd(sum, rest));
  const __m128i inwards = _mm_shuffle_epi32(_mm_srai_epi32(signs, 31), _MM_SHUFFLE(3, 3, 1, 1));
  const __m128i step = _mm_and_si128(_mm_or_si128(inwards, one), _mm_and_si128(even, _mm_castpd_si128(inexact)));
  return _mm_castsi128_pd(_mm_add_epi64(bits, step));
}

/// What rounding sum = x + y has left (D. Knuth).
inline __m128d rest_of_sum(__m128d x, __m128d y, __m128d sum) {
  const __m128d part = _mm_sub_pd(sum, x);
  return _mm_add_pd(_mm_sub_pd(x, _mm_sub_pd(sum, part)), _mm_sub_pd(y, part));
}

/// x y + z of floats, whose product is exact as a double. Rounding it to float rounds once more, which matters in the middle
/// between two floats alone (below the normal ones, too): the last 28 bits are 0 there.
inline __m128 fma(__m128 x, __m128 y, __m128 z) {
  const __m128d low_product = _mm_mul_pd(_mm_cvtps_pd(x), _mm_cvtps_pd(y));
  const __m128d high_product = _mm_mul_pd(_mm_cvtps_pd(_mm_movehl_ps(x, x)), _mm_cvtps_pd(_mm_movehl_ps(y, y)));
  const __m128d low_term = _mm_cvtps_pd(z);
  const __m128d high_term = _mm_cvtps_pd(_mm_movehl_ps(z, z));
  __m128d low = _mm_add_pd(low_product, low_term);
  __m128d high = _mm_add_pd(high_product, high_term);
  const __m128i last =
      _mm_castps_si128(_mm_shuffle_ps(_mm_castpd_ps(low), _mm_castpd_ps(high), _MM_SHUFFLE(2, 0, 2, 0)));
  const __m128i middle = _mm_cmpeq_epi32(_mm_and_si128(last, _mm_set1_epi32(0x0fffffff)), _mm_setzero_si128());
  if (_mm_movemask_epi8(middle) != 0) {
    low = to_odd(low, rest_of_sum(low_product, low_term, low));
    high = to_odd(high, rest_of_sum(high_product, high_term, high));
  }
  return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
}

[[gnu::noinline]] inline __m128d fma_by_lane(__m128d x, __m128d y, __m128d z) {
  alignas(16) double a[2], b[2], c[2];
  _mm_store_pd(a, x);
  _mm_store_pd(b, y);
  _mm_store_pd(c, z);
  return _mm_set_pd(::fma(a[1], b[1], c[1]), ::fma(a[0], b[0], c[0]));
}

/// The upper 26 bits of x (G. Veltkamp).
inline __m128d upper_half(__m128d x) {
  const __m128d large = _mm_mul_pd(x, _mm_set1_pd(134217729.0));
  return _mm_sub_pd(large, _mm_sub_pd(large, x));
}

/// What rounding product = x y has left (T. Dekker), unless it is too small for a number, or half of x too large.
inline __m128d rest_of_product(__m128d x, __m128d y, __m128d product) {
  const __m128d xh = upper_half(x);
  const __m128d yh = upper_half(y);
  const __m128d xl = _mm_sub_pd(x, xh);
  const __m128d yl = _mm_sub_pd(y, yh);
  const __m128d high = _mm_add_pd(_mm_sub_pd(_mm_mul_pd(xh, yh), product), _mm_mul_pd(xh, yl));
  return _mm_add_pd(_mm_add_pd(high, _mm_mul_pd(xl, yh)), _mm_mul_pd(xl, yl));
}

/// x y + z = sum + (sum_rest + product_rest). Rounding what is in brackets matters where it comes to lie in the middle
/// between two numbers, as seen from the sum: what rounding the result has left is a power of two there. C's function does
/// those, and what is too small or too large for the above.
inline __m128d fma(__m128d x, __m128d y, __m128d z) {
  const __m128d product = _mm_mul_pd(x, y);
  const __m128d sum = _mm_add_pd(product, z);
  const __m128d behind = _mm_add_pd(rest_of_sum(product, z, sum), rest_of_product(x, y, product));
  const __m128d result = _mm_add_pd(sum, behind);
  const __m128d rest = _mm_sub_pd(behind, _mm_sub_pd(result, sum));
  const __m128d digits = _mm_castsi128_pd(_mm_set1_epi64x(0x000fffffffffffff));
  const __m128d zero = _mm_setzero_pd();
  const __m128d one = _mm_set1_pd(1.0);
  // the digits of rest, as those of a number from 1 on, are not 0; or rest is
  const __m128d decided =
      _mm_or_pd(_mm_cmpneq_pd(_mm_or_pd(_mm_and_pd(rest, digits), one), one), _mm_cmpeq_pd(rest, zero));
  const __m128d ample = _mm_cmpgt_pd(_mm_andnot_pd(_mm_set1_pd(-0.0), product), _mm_set1_pd(0x1p-900));
  const __m128d finite = _mm_cmpeq_pd(_mm_sub_pd(result, result), zero);
  if (_mm_movemask_pd(_mm_and_pd(_mm_and_pd(decided, ample), finite)) != 3) {
    return fma_by_lane(x, y, z);
  }
  return result;
}

}  // namespace fused

#endif

template <class T, class A>
batch<T, A> opposite(const batch<T, A>& x) {
  return x ^ batch<T, A>(-T{0});
}

template <class A, class T>
batch<T, A> fma(const batch<T, A>& x, const batch<T, A>& y, const batch<T, A>& z, const FusedSet&) noexcept {
  return fused::fma(x, y, z);
}
template <class A, class T>
batch<T, A> fms(const batch<T, A>& x, const batch<T, A>& y, const batch<T, A>& z, const FusedSet&) noexcept {
  return fused::fma(x, y, opposite(z));
}
template <class A, class T>
batch<T, A> fnma(const batch<T, A>& x, const batch<T, A>& y, const batch<T, A>& z, const FusedSet&) noexcept {
  return fused::fma(opposite(x), y, z);
}
template <class A, class T>
batch<T, A> fnms(const batch<T, A>& x, const batch<T, A>& y, const batch<T, A>& z, const FusedSet&) noexcept {
  return fused::fma(opposite(x), y, opposite(z));
}

}  // namespace xsimd::kernel

#elif defined(__aarch64__)

#include "autograd/kernels/isa/neon.hpp"

#else

#include <xsimd/xsimd.hpp>

#endif
