#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <source_location>
#include <type_traits>

#include "autograd/array/shape.hpp"
#include "autograd/graph/tensor.hpp"

/// \file
/// Tensors filled with a whole number that a double need not hold.

namespace xgrad::detail {

/// What full() gives. \throws DTypeError when \p dtype cannot hold the number.
Tensor full_of_integer(const Shape& shape, std::int64_t value, DType dtype, std::source_location where);

/// What full_like() gives. \throws DTypeError when the dtype of \p x cannot hold the number.
Tensor full_like_of_integer(const Operand& x, std::int64_t value);

/// What pad() gives. \throws DTypeError when the dtype of \p x cannot hold the number.
Tensor pad_with_integer(const Operand& x, const Ints& before, const Ints& after, std::int64_t value);

/// Whether an int64 can hold \p value.
template <std::integral Integer>
constexpr bool is_int64(Integer value) {
  if constexpr (std::is_unsigned_v<Integer> && sizeof(Integer) >= sizeof(std::int64_t)) {
    return value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  } else {
    return true;
  }
}

}  // namespace xgrad::detail
