#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string_view>
#include <type_traits>

/// \file
/// Element types.

namespace xgrad {

/// Element type of a tensor. boolean and uint8 are for storage: they can be compared, selected, moved, cast and summed.
enum class DType : std::uint8_t { boolean, uint8, int32, int64, float32, float64 };

/// `float32`, `int64`, ...
std::string_view to_string(DType dtype);
/// Prints the name that to_string gives.
std::ostream& operator<<(std::ostream& out, DType dtype);

/// Bytes per element.
std::size_t size_of(DType dtype);

/// Whether an element of type \p dtype can be \p number, up to rounding of floating ones.
bool fits(double number, DType dtype);

/// float32 or float64: the types that have derivatives.
constexpr bool is_floating(DType dtype) { return dtype >= DType::float32; }
/// int32 or int64: the types that count. (uint8 is for storage.)
constexpr bool is_integer(DType dtype) { return dtype == DType::int32 || dtype == DType::int64; }

/// Whether \p T is one of the C++ types that tensors hold.
template <class T>
inline constexpr bool is_element_type =
    std::is_same_v<T, bool> || std::is_same_v<T, float> || std::is_same_v<T, double> ||
    (std::is_integral_v<T> &&
     ((std::is_unsigned_v<T> && sizeof(T) == 1) || (std::is_signed_v<T> && (sizeof(T) == 4 || sizeof(T) == 8))));

/// The dtype of the C++ type \p T.
template <class T>
constexpr DType dtype_of() {
  static_assert(is_element_type<T>, "tensors hold bool, uint8, int32, int64, float and double; cast to one of them");
  if constexpr (std::is_same_v<T, bool>) {
    return DType::boolean;
  } else if constexpr (std::is_same_v<T, float>) {
    return DType::float32;
  } else if constexpr (std::is_same_v<T, double>) {
    return DType::float64;
  } else {
    return sizeof(T) == 1 ? DType::uint8 : sizeof(T) == 4 ? DType::int32 : DType::int64;
  }
}

/// Calls \p f with a value of the C++ type of \p dtype:
/// `dispatch(dtype, [&](auto zero) { using T = decltype(zero); ... })`.
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
  switch (dtype) {
    case DType::boolean: return f(bool{});
    case DType::uint8: return f(std::uint8_t{});
    case DType::int32: return f(std::int32_t{});
    case DType::int64: return f(std::int64_t{});
    case DType::float32: return f(float{});
    case DType::float64: break;
  }
  return f(double{});
}

}  // namespace xgrad
