#pragma once

#include <type_traits>

/// \file
/// xsimd on NEON, as exact as elsewhere: xsimd 8.1 approximates quotients and square roots of floats as if the CPU had 32 bits,
/// rounds x y before it is taken from z, and goes through integers to whole numbers. What is missing is added to the build's
/// own copy of xsimd's namespace, as fused.hpp does.

namespace xsimd {

struct neon64;

template <class T, class A>
class batch;

namespace kernel {

template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> div(const batch<T, A>& x, const batch<T, A>& y, const neon64&) noexcept;
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> sqrt(const batch<T, A>& x, const neon64&) noexcept;

/// z - x y and -x y - z.
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> fnma(const batch<T, A>& x, const batch<T, A>& y, const batch<T, A>& z, const neon64&) noexcept;
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> fnms(const batch<T, A>& x, const batch<T, A>& y, const batch<T, A>& z, const neon64&) noexcept;

/// Whole numbers: towards 0, down, up, and the nearest one, of two the even one.
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> trunc(const batch<T, A>& x, const neon64&) noexcept;
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> floor(const batch<T, A>& x, const neon64&) noexcept;
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> ceil(const batch<T, A>& x, const neon64&) noexcept;
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> nearbyint(const batch<T, A>& x, const neon64&) noexcept;

}  // namespace kernel

}  // namespace xsimd

#include <xsimd/xsimd.hpp>

namespace xsimd::kernel {

namespace exact {

inline float32x4_t div(float32x4_t x, float32x4_t y) { return vdivq_f32(x, y); }
inline float64x2_t div(float64x2_t x, float64x2_t y) { return vdivq_f64(x, y); }
inline float32x4_t sqrt(float32x4_t x) { return vsqrtq_f32(x); }
inline float64x2_t sqrt(float64x2_t x) { return vsqrtq_f64(x); }
inline float32x4_t fnma(float32x4_t x, float32x4_t y, float32x4_t z) { return vfmsq_f32(z, x, y); }
inline float64x2_t fnma(float64x2_t x, float64x2_t y, float64x2_t z) { return vfmsq_f64(z, x, y); }
inline float32x4_t fnms(float32x4_t x, float32x4_t y, float32x4_t z) { return vfmsq_f32(vnegq_f32(z), x, y); }
inline float64x2_t fnms(float64x2_t x, float64x2_t y, float64x2_t z) { return vfmsq_f64(vnegq_f64(z), x, y); }
inline float32x4_t trunc(float32x4_t x) { return vrndq_f32(x); }
inline float64x2_t trunc(float64x2_t x) { return vrndq_f64(x); }
inline float32x4_t floor(float32x4_t x) { return vrndmq_f32(x); }
inline float64x2_t floor(float64x2_t x) { return vrndmq_f64(x); }
inline float32x4_t ceil(float32x4_t x) { return vrndpq_f32(x); }
inline float64x2_t ceil(float64x2_t x) { return vrndpq_f64(x); }
inline float32x4_t nearbyint(float32x4_t x) { return vrndnq_f32(x); }
inline float64x2_t nearbyint(float64x2_t x) { return vrndnq_f64(x); }

}  // namespace exact

template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> div(const batch<T, A>& x, const batch<T, A>& y, const neon64&) noexcept {
  return exact::div(x, y);
}
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> sqrt(const batch<T, A>& x, const neon64&) noexcept {
  return exact::sqrt(x);
}
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> fnma(const batch<T, A>& x, const batch<T, A>& y, const batch<T, A>& z, const neon64&) noexcept {
  return exact::fnma(x, y, z);
}
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> fnms(const batch<T, A>& x, const batch<T, A>& y, const batch<T, A>& z, const neon64&) noexcept {
  return exact::fnms(x, y, z);
}
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> trunc(const batch<T, A>& x, const neon64&) noexcept {
  return exact::trunc(x);
}
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> floor(const batch<T, A>& x, const neon64&) noexcept {
  return exact::floor(x);
}
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> ceil(const batch<T, A>& x, const neon64&) noexcept {
  return exact::ceil(x);
}
template <class A, class T>
  requires std::is_floating_point_v<T>
batch<T, A> nearbyint(const batch<T, A>& x, const neon64&) noexcept {
  return exact::nearbyint(x);
}

}  // namespace xsimd::kernel
