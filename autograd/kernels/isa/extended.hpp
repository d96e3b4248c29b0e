#pragma once

#include "autograd/kernels/isa/simd.hpp"

/// \file
/// Numbers of twice the digits, as sums of two (T. Dekker, A floating-point technique for extending the available precision,
/// 1971).

namespace xgrad::kernels::XGRAD_ISA {

/// high + low, where low is at most half a unit of high's last place.
struct Extended {
  Batch<double> high;
  Batch<double> low;
};

/// x + y.
inline Extended sum_of(const Batch<double>& x, const Batch<double>& y) {
  const Batch<double> sum = x + y;
  const Batch<double> part = sum - x;
  return {sum, (x - (sum - part)) + (y - part)};
}

/// x + y, where x is 0 or not smaller than y.
inline Extended ordered_sum_of(const Batch<double>& x, const Batch<double>& y) {
  const Batch<double> sum = x + y;
  return {sum, y - (sum - x)};
}

/// x y.
inline Extended product_of(const Batch<double>& x, const Batch<double>& y) {
  const Batch<double> product = x * y;
  return {product, xsimd::fms(x, y, product)};
}

/// x y, but for the product of the lower parts.
inline Extended product_of(const Extended& x, const Extended& y) {
  const Extended product = product_of(x.high, y.high);
  return {product.high, product.low + (x.high * y.low + x.low * y.high)};
}

/// A function of vectors of doubles, of floats: in two halves.
template <Batch<double> (*f)(const Batch<double>&, const Batch<double>&)>
Batch<float> in_double_precision(const Batch<float>& x, const Batch<float>& y) {
  alignas(64) float a[lanes<float>];
  alignas(64) float b[lanes<float>];
  alignas(64) double wide_a[lanes<float>];
  alignas(64) double wide_b[lanes<float>];
  x.store_aligned(a);
  y.store_aligned(b);
  for (std::int64_t i = 0; i < lanes<float>; ++i) {
    wide_a[i] = static_cast<double>(a[i]);
    wide_b[i] = static_cast<double>(b[i]);
  }
  for (std::int64_t i = 0; i < lanes<float>; i += lanes<double>) {
    f(Batch<double>::load_aligned(wide_a + i), Batch<double>::load_aligned(wide_b + i)).store_aligned(wide_a + i);
  }
  for (std::int64_t i = 0; i < lanes<float>; ++i) {
    a[i] = static_cast<float>(wide_a[i]);
  }
  return Batch<float>::load_aligned(a);
}

}  // namespace xgrad::kernels::XGRAD_ISA
