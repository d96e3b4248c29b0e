#include "autograd/kernels/isa/multiplication.hpp"
#include "autograd/kernels/isa/sets.hpp"

namespace xgrad::kernels::XGRAD_ISA {

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)

namespace {

inline float scalar_fma(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline double scalar_fma(double x, double y, double z) { return __builtin_fma(x, y, z); }

/// Σ a[p] b[p]: in as many sums as fill 256 bytes, the element p in number p mod that, then added by halves.
template <class T>
T dot(const T* a, const T* b, std::int64_t count) {
  constexpr int sum_count = 256 / static_cast<int>(sizeof(T));
  constexpr int vectors = sum_count / static_cast<int>(lanes<T>);
  alignas(64) T sums[sum_count] = {};
  const std::int64_t whole = count / sum_count * sum_count;
  if (whole > 0) {
    Batch<T> each[vectors];
    for (int i = 0; i < vectors; ++i) {
      each[i] = Batch<T>(T{0});
    }
    for (std::int64_t p = 0; p < whole; p += sum_count) {
      for (int i = 0; i < vectors; ++i) {
        each[i] = xsimd::fma(load(a + p + i * lanes<T>), load(b + p + i * lanes<T>), each[i]);
      }
    }
    for (int i = 0; i < vectors; ++i) {
      each[i].store_aligned(sums + i * lanes<T>);
    }
  }
  for (std::int64_t p = whole; p < count; ++p) {
    sums[p - whole] = scalar_fma(a[p], b[p], sums[p - whole]);
  }
  for (int half = sum_count / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) {
      sums[i] += sums[i + half];
    }
  }
  return sums[0];
}

/// One row of a, and columns of b that are in one piece.
template <class T>
void multiply_row(const ProductJob& job, T* scratch) {
  const T* a = static_cast<const T*>(job.a.data);
  const T* b = static_cast<const T*>(job.b.data);
  T* c = static_cast<T*>(job.c);
  if (job.a.transpose && job.a.stride > 1) {
    for (std::int64_t p = 0; p < job.k; ++p) {
      scratch[p] = a[p * job.a.stride];
    }
    a = scratch;
  }
  for (std::int64_t j = 0; j < job.n; ++j) {
    T& out = c[j * job.c_column];
    const T sum = dot(a, b + j * job.b.stride, job.k);
    out = job.accumulate ? out + sum : sum;
  }
}

ProductJob exchanged(const ProductJob& job) {
  ProductJob result = job;
  result.m = job.n;
  result.n = job.m;
  result.a = {job.b.data, job.b.stride, !job.b.transpose};
  result.b = {job.a.data, job.a.stride, !job.a.transpose};
  result.c_row = job.c_column;
  result.c_column = job.c_row;
  return result;
}

/// A factor of one row or one column, as it is read where its elements are side by side: as a row of a, a column of b.
ProductFactor as_row(const ProductFactor& a) { return {a.data, a.stride, a.transpose && a.stride > 1}; }
ProductFactor as_column(const ProductFactor& b) { return {b.data, b.stride, b.transpose || b.stride == 1}; }

// cᵀ = bᵀ aᵀ: a column becomes a row; and few columns become few rows where that needs no other order of a.
template <class T>
ProductJob arranged(const ProductJob& given) {
  const bool few = given.a.transpose && given.n <= lanes<T> && given.n < given.m;
  ProductJob job = given.n == 1 || few ? exchanged(given) : given;
  if (job.m == 1) {
    job.a = as_row(job.a);
  }
  if (job.n == 1) {
    job.b = as_column(job.b);
  }
  return job;
}

bool is_by_lanes(const ProductJob& job) { return job.of_vector && job.m == 1 && job.b.transpose; }

template <class T>
std::size_t scratch_bytes(const ProductJob& given) {
  const ProductJob job = arranged<T>(given);
  return is_by_lanes(job) ? static_cast<std::size_t>(job.k) * sizeof(T) : Multiplication<T>::scratch_bytes(job);
}

template <class T>
void multiply(const ProductJob& given, void* scratch) {
  const ProductJob job = arranged<T>(given);
  if (is_by_lanes(job)) {
    multiply_row<T>(job, static_cast<T*>(scratch));
  } else {
    Multiplication<T>(job, scratch).run();
  }
}

}  // namespace

void add_products(KernelSet& set) {
  set.product[static_cast<int>(DType::float32)] = {multiply<float>, scratch_bytes<float>};
  set.product[static_cast<int>(DType::float64)] = {multiply<double>, scratch_bytes<double>};
}

#else

void add_products(KernelSet&) {}

#endif

}  // namespace xgrad::kernels::XGRAD_ISA
