#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <type_traits>
#include <vector>

#include "autograd/kernels/kernels.hpp"
#include "autograd/runtime/workers.hpp"

namespace xgrad::kernels {

namespace {

// Positions 0 to n - 1, or from the end.
struct Walk {
  std::int64_t first, step;
  Walk(std::int64_t n, bool reverse) : first(reverse ? n - 1 : 0), step(reverse ? -1 : 1) {}
  std::int64_t at(std::int64_t k) const { return first + k * step; }
};

template <class T>
void recur(const T* a, const T* b, T* out, std::int64_t n, std::int64_t inner, const Walk& walk) {
  for (std::int64_t k = 0; k < n; ++k) {
    const std::int64_t row = walk.at(k) * inner;
    const T* before = k == 0 ? nullptr : out + walk.at(k - 1) * inner;
    for (std::int64_t i = 0; i < inner; ++i) {
      out[row + i] = before == nullptr ? b[row + i] : static_cast<T>(a[row + i] * before[i] + b[row + i]);
    }
  }
}

template <class T>
void accumulate(const T* in, T* out, std::int64_t n, std::int64_t inner, const Walk& walk) {
  for (std::int64_t k = 0; k < n; ++k) {
    const std::int64_t row = walk.at(k) * inner;
    const T* before = k == 0 ? nullptr : out + walk.at(k - 1) * inner;
    for (std::int64_t i = 0; i < inner; ++i) {
      out[row + i] = before == nullptr ? in[row + i] : static_cast<T>(before[i] + in[row + i]);
    }
  }
}

// NaN comes after every number, also in descending order.
template <class T>
bool precedes(T a, T b, bool descending) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) {
      return std::isnan(b) && !std::isnan(a);
    }
  }
  return descending ? b < a : a < b;
}

}  // namespace

void linear_recurrence(DType dtype, const void* a, const void* b, void* out, std::int64_t outer, std::int64_t n,
                       std::int64_t inner, bool reverse) {
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    runtime::parallel_for(outer, [&](std::int64_t o) {
      const std::int64_t offset = o * n * inner;
      recur(static_cast<const T*>(a) + offset, static_cast<const T*>(b) + offset, static_cast<T*>(out) + offset, n,
            inner, Walk(n, reverse));
    });
  });
}

void cumulative_sum(DType dtype, const void* in, void* out, std::int64_t outer, std::int64_t n, std::int64_t inner,
                    bool reverse) {
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    runtime::parallel_for(outer, [&](std::int64_t o) {
      const std::int64_t offset = o * n * inner;
      accumulate(static_cast<const T*>(in) + offset, static_cast<T*>(out) + offset, n, inner, Walk(n, reverse));
    });
  });
}

void argsort(DType dtype, const void* in, std::int64_t* out, std::int64_t outer, std::int64_t n, std::int64_t inner,
             bool descending) {
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    runtime::parallel_for(outer, [&](std::int64_t o) {
      std::vector<std::int64_t> order(static_cast<std::size_t>(n));
      for (std::int64_t i = 0; i < inner; ++i) {
        const T* x = static_cast<const T*>(in) + o * n * inner + i;
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::int64_t p, std::int64_t q) {
          return precedes(x[p * inner], x[q * inner], descending);
        });
        for (std::int64_t k = 0; k < n; ++k) {
          out[(o * n + k) * inner + i] = order[static_cast<std::size_t>(k)];
        }
      }
    });
  });
}

}  // namespace xgrad::kernels
