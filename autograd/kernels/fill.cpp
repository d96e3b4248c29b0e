#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "autograd/kernels/choose.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/pieces.hpp"

namespace xgrad::kernels {

void cast(DType from, const void* in, DType to, void* out, std::int64_t count) {
  const ConvertKernel kernel = chosen_kernels().convert[static_cast<int>(from)][static_cast<int>(to)];
  const auto from_bytes = static_cast<std::int64_t>(size_of(from));
  const auto to_bytes = static_cast<std::int64_t>(size_of(to));
  for_each_piece(count, piece_bytes / std::max(from_bytes, to_bytes), [&](std::int64_t first, std::int64_t last) {
    kernel(static_cast<const std::byte*>(in) + first * from_bytes, static_cast<std::byte*>(out) + first * to_bytes,
           last - first);
  });
}

namespace {

/// out[i] = element(i) as the C++ type of \p dtype.
template <class F>
void generate(DType dtype, void* out, std::int64_t count, const F& element) {
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    T* to = static_cast<T*>(out);
    constexpr std::int64_t grain = piece_bytes / static_cast<std::int64_t>(sizeof(T));
    for_each_piece(count, grain, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        to[i] = element.template operator()<T>(i);
      }
    });
  });
}

template <class T>
T from_double(double value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value != 0;
  } else {
    return static_cast<T>(value);
  }
}

}  // namespace

void fill(DType dtype, void* out, std::int64_t count, double value) {
  generate(dtype, out, count, [value]<class T>(std::int64_t) { return from_double<T>(value); });
}

void fill_integer(std::int64_t* out, std::int64_t count, std::int64_t value) {
  generate(DType::int64, out, count, [value]<class T>(std::int64_t) { return static_cast<T>(value); });
}

void arange(DType dtype, void* out, std::int64_t count, double start, double step) {
  generate(dtype, out, count, [start, step]<class T>(std::int64_t i) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      // Whole steps stay exact beyond the 53 bits of a double.
      if (start == static_cast<double>(static_cast<std::int64_t>(start)) &&
          step == static_cast<double>(static_cast<std::int64_t>(step))) {
        return static_cast<T>(static_cast<std::int64_t>(start) + i * static_cast<std::int64_t>(step));
      }
    }
    return from_double<T>(start + static_cast<double>(i) * step);
  });
}

}  // namespace xgrad::kernels
