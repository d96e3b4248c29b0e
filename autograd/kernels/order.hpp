#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "autograd/array/dtype.hpp"

/// \file
/// The order of elements in sorting and searching.

namespace xgrad::kernels {

/// Whether a stands in front of b. NaN comes after every number, also in descending order.
template <class T>
bool precedes(T a, T b, bool descending) {
  if constexpr (is_real(dtype_of<T>())) {
    const bool a_is_nan = !(a == a);
    const bool b_is_nan = !(b == b);
    if (a_is_nan || b_is_nan) {
      return b_is_nan && !a_is_nan;
    }
  }
  return descending ? b < a : a < b;
}

template <class T>
using SortKey = std::conditional_t<sizeof(T) == sizeof(std::uint64_t), std::uint64_t, std::uint32_t>;

/// An unsigned integer for each number, in the order of the numbers, and equal where they are. Not for NaN.
template <class T>
SortKey<T> sort_key(T x) {
  if constexpr (std::same_as<T, BFloat16>) {
    return sort_key(static_cast<float>(x));
  } else if constexpr (std::floating_point<T>) {
    using Key = SortKey<T>;
    constexpr Key sign = ~(~Key{0} >> 1U);
    const Key bits = std::bit_cast<Key>(x + T{0});  // both zeros are one, and what counts as zero is
    return (bits & sign) != 0 ? ~bits : bits | sign;
  } else if constexpr (std::same_as<T, std::int64_t>) {
    return static_cast<std::uint64_t>(x) ^ (std::uint64_t{1} << 63U);
  } else {
    return static_cast<std::uint32_t>(x) ^ (std::uint32_t{1} << 31U);
  }
}

/// An unsigned integer for each element, less where it comes first: what sorts these sorts elements of all dtypes. NaN comes
/// last, also in descending order.
template <class T>
SortKey<T> order_key(T x, bool descending) {
  if (!(x == x)) {
    return std::numeric_limits<SortKey<T>>::max();  // no number has this one
  }
  return descending ? ~sort_key(x) : sort_key(x);
}

}  // namespace xgrad::kernels
