#include <limits>

#include "autograd/kernels/isa/sets.hpp"
#include "autograd/kernels/isa/simd.hpp"
#include "autograd/kernels/kernels.hpp"

namespace xgrad::kernels::XGRAD_ISA {

namespace {

template <class T>
struct Sum {
  static constexpr T neutral = 0;
  static T apply(T a, T b) { return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b)); }
};

template <class T>
struct Product {
  static constexpr T neutral = 1;
  static T apply(T a, T b) { return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b)); }
};

template <class T>
struct Maximum {
  static constexpr T neutral = std::numeric_limits<T>::lowest();
  static T apply(T a, T b) { return a > b ? a : b; }
};

template <class T>
struct Minimum {
  static constexpr T neutral = std::numeric_limits<T>::max();
  static T apply(T a, T b) { return a < b ? a : b; }
};

template <class T>
struct All {
  static constexpr T neutral = 1;
  static T apply(T a, T b) { return static_cast<T>(a & b); }
};

template <class T>
struct Any {
  static constexpr T neutral = 0;
  static T apply(T a, T b) { return static_cast<T>(a | b); }
};

template <class Op, class T, class Result>
void reduce_rows(const void* in, void* out, std::int64_t outer, std::int64_t n) {
  const T* x = static_cast<const T*>(in);
  Result* to = static_cast<Result*>(out);
  for (std::int64_t o = 0; o < outer; ++o, x += n) {
    Result a = Op::neutral;
    for (std::int64_t i = 0; i < n; ++i) {
      a = Op::apply(a, static_cast<Result>(x[i]));
    }
    to[o] = a;
  }
}

template <class Op, class T, class Result>
void reduce_columns(const void* in, void* out, std::int64_t n, std::int64_t columns, std::int64_t row_step) {
  constexpr std::int64_t strip = 256;
  for (std::int64_t first = 0; first < columns; first += strip) {
    const std::int64_t count = smaller(strip, columns - first);
    const T* x = static_cast<const T*>(in) + first;
    Result a[strip];
    for (Result& each : a) {
      each = Op::neutral;
    }
    for (std::int64_t row = 0; row < n; ++row, x += row_step) {
      for (std::int64_t i = 0; i < count; ++i) {
        a[i] = Op::apply(a[i], static_cast<Result>(x[i]));
      }
    }
    __builtin_memcpy(static_cast<Result*>(out) + first, a, static_cast<std::size_t>(count) * sizeof(Result));
  }
}

/// Booleans are bytes of 0 and 1, so they are reduced as bytes.
template <class Op, class T, class Result = T>
void put(KernelSet& set, Reduction kind, DType dtype) {
  set.reduce[static_cast<int>(kind)][static_cast<int>(dtype)] = {reduce_rows<Op, T, Result>,
                                                                 reduce_columns<Op, T, Result>};
}

template <class T>
void put_order(KernelSet& set, DType dtype) {
  put<Maximum<T>, T>(set, Reduction::amax, dtype);
  put<Minimum<T>, T>(set, Reduction::amin, dtype);
}

}  // namespace

void add_integer_reductions(KernelSet& set) {
  using Byte = std::uint8_t;
  using Wide = std::int64_t;
  put<Sum<Wide>, Byte, Wide>(set, Reduction::sum, DType::boolean);
  put<Sum<Wide>, Byte, Wide>(set, Reduction::sum, DType::uint8);
  put<Sum<Wide>, std::int32_t, Wide>(set, Reduction::sum, DType::int32);
  put<Sum<Wide>, Wide>(set, Reduction::sum, DType::int64);
  put<Product<Byte>, Byte>(set, Reduction::prod, DType::uint8);
  put<Product<std::int32_t>, std::int32_t>(set, Reduction::prod, DType::int32);
  put<Product<Wide>, Wide>(set, Reduction::prod, DType::int64);
  put_order<Byte>(set, DType::boolean);
  put_order<Byte>(set, DType::uint8);
  put_order<std::int32_t>(set, DType::int32);
  put_order<Wide>(set, DType::int64);
  put<All<Byte>, Byte>(set, Reduction::all, DType::boolean);
  put<Any<Byte>, Byte>(set, Reduction::any, DType::boolean);
}

}  // namespace xgrad::kernels::XGRAD_ISA
