#include "autograd/kernels/isa/sets.hpp"
#include "autograd/kernels/isa/simd.hpp"

namespace xgrad::kernels::XGRAD_ISA {

namespace {

/// Multiply-adds of whole vectors that need not wait for each other, and nothing else.
template <class T>
double multiply_and_add(std::int64_t repetitions, void* out) {
  constexpr int count = 16;  // as many as are under way at a time, or more
  Batch<T> sums[count];
  for (int i = 0; i < count; ++i) {
    sums[i] = Batch<T>(static_cast<T>(i));
  }
  const Batch<T> half(static_cast<T>(0.5));
  for (std::int64_t each = 0; each < repetitions; ++each) {
#pragma GCC unroll 16
    for (int i = 0; i < count; ++i) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
      sums[i] = xsimd::fma(sums[i], half, half);  // which goes to 1
#else
      sums[i] = sums[i] * half + half;
#endif
    }
  }
  Batch<T> sum = sums[0];
  for (int i = 1; i < count; ++i) {
    sum = sum + sums[i];
  }
  store(static_cast<T*>(out), sum);
  return 2.0 * count * static_cast<double>(lanes<T>) * static_cast<double>(repetitions);
}

}  // namespace

void add_peaks(KernelSet& set) {
  set.peak[static_cast<int>(DType::float32)] = multiply_and_add<float>;
  set.peak[static_cast<int>(DType::float64)] = multiply_and_add<double>;
}

}  // namespace xgrad::kernels::XGRAD_ISA
