#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "autograd/array/bfloat16.hpp"

/// \file
/// Element types: a closed table, from which everything follows that is to be known of one.
///
/// A new dtype is an enumerator, a row of `dtype_table` and a case of `dispatch`. What else has to be said of it, the
/// compiler asks for: switches over dtypes have no default, and one that misses a case is an error in the library's own
/// build (-Werror=switch).

namespace xgrad {

/// Element type of a tensor. boolean, uint8 and bfloat16 are for storage: they can be compared, selected, moved and cast;
/// boolean and uint8 can be summed as well.
enum class DType : std::uint8_t { boolean, uint8, int32, int64, bfloat16, float32, float64 };

/// What elements of a type are for.
enum class DTypeKind : std::uint8_t {
  storage,   ///< compared, selected, moved and cast; arithmetic asks for a cast
  integer,   ///< counting: arithmetic without derivatives
  floating,  ///< computing: arithmetic with derivatives
};

/// What elements of a type are.
enum class DTypeValues : std::uint8_t {
  truths,  ///< true and false
  whole,   ///< whole numbers
  real,    ///< floating-point numbers
};

/// One row of the table of dtypes. \tparam T the C++ type of the elements.
template <class T>
struct DTypeRow {
  using Element = T;      ///< what dispatch gives
  DType dtype;            ///< whose row it is
  std::string_view name;  ///< what it is called everywhere but in files of other programs
  DTypeKind kind;         ///< what it is for
  DTypeValues values;     ///< what it holds
  DType number_dtype;  ///< what its elements become to be compared and selected: all of them are numbers of this type
};

/// All dtypes, in the order of the enumerators.
inline constexpr std::tuple dtype_table{
    DTypeRow<bool>{DType::boolean, "boolean", DTypeKind::storage, DTypeValues::truths, DType::int32},
    DTypeRow<std::uint8_t>{DType::uint8, "uint8", DTypeKind::storage, DTypeValues::whole, DType::int32},
    DTypeRow<std::int32_t>{DType::int32, "int32", DTypeKind::integer, DTypeValues::whole, DType::int32},
    DTypeRow<std::int64_t>{DType::int64, "int64", DTypeKind::integer, DTypeValues::whole, DType::int64},
    DTypeRow<BFloat16>{DType::bfloat16, "bfloat16", DTypeKind::storage, DTypeValues::real, DType::float32},
    DTypeRow<float>{DType::float32, "float32", DTypeKind::floating, DTypeValues::real, DType::float32},
    DTypeRow<double>{DType::float64, "float64", DTypeKind::floating, DTypeValues::real, DType::float64},
};

/// How many dtypes there are.
inline constexpr int dtype_count = static_cast<int>(std::tuple_size_v<decltype(dtype_table)>);

namespace detail {

/// A row without its C++ type.
struct DTypeFacts {
  DType dtype;
  std::string_view name;
  DTypeKind kind;
  DTypeValues values;
  DType number_dtype;
  std::size_t bytes;
};

/// The rows of all dtypes, in the order of the enumerators: a list that constant expressions can index.
struct AllDTypeFacts {
  DTypeFacts of[dtype_count];
};

inline constexpr AllDTypeFacts dtype_facts = std::apply(
    []<class... T>(const DTypeRow<T>&... row) {
      return AllDTypeFacts{{{row.dtype, row.name, row.kind, row.values, row.number_dtype, sizeof(T)}...}};
    },
    dtype_table);

constexpr const DTypeFacts& facts_of(DType dtype) { return dtype_facts.of[static_cast<int>(dtype)]; }

constexpr bool dtype_rows_are_in_order() {
  for (int i = 0; i < dtype_count; ++i) {
    if (static_cast<int>(dtype_facts.of[i].dtype) != i) {
      return false;
    }
  }
  return true;
}
static_assert(dtype_rows_are_in_order(), "the rows of dtype_table stand in the order of the enumerators of DType");

/// A value of the C++ type of a dtype. One without a row does not compile.
template <DType dtype>
constexpr auto zero_of() {
  static_assert(static_cast<int>(dtype) < dtype_count, "a dtype has no row in dtype_table");
  using Row = std::tuple_element_t<static_cast<std::size_t>(dtype), std::remove_const_t<decltype(dtype_table)>>;
  return typename Row::Element{};
}

/// Whether elements of type \p Element are values of type \p T: integers of equal size and sign are one type for us.
template <class T, class Element>
inline constexpr bool is_alike =
    std::is_same_v<std::remove_cv_t<T>, Element> ||
    (std::is_integral_v<T> && std::is_integral_v<Element> && !std::is_same_v<std::remove_cv_t<T>, bool> &&
     !std::is_same_v<Element, bool> && sizeof(std::conditional_t<std::is_void_v<T>, char, T>) == sizeof(Element) &&
     std::is_signed_v<T> == std::is_signed_v<Element>);

/// The number of the row of \p T; that of rows where there is none.
template <class T>
inline constexpr int row_number = std::apply(
    []<class... Element>(const DTypeRow<Element>&... row) {
      int number = dtype_count;
      ((number = is_alike<T, Element> ? static_cast<int>(row.dtype) : number), ...);
      return number;
    },
    dtype_table);

/// \throws DTypeError `[op]`: elements of this type are not computed with.
[[noreturn]] void raise_no_arithmetic(DType dtype, std::string_view op = "dtype");

}  // namespace detail

/// `float32`, `int64`, ...
constexpr std::string_view to_string(DType dtype) { return detail::facts_of(dtype).name; }
/// Prints the name that to_string gives.
std::ostream& operator<<(std::ostream& out, DType dtype);

/// Bytes per element.
constexpr std::size_t size_of(DType dtype) { return detail::facts_of(dtype).bytes; }

/// float32 or float64: the types that compute, and have derivatives.
constexpr bool is_floating(DType dtype) { return detail::facts_of(dtype).kind == DTypeKind::floating; }
/// int32 or int64: the types that count. (uint8 is for storage.)
constexpr bool is_integer(DType dtype) { return detail::facts_of(dtype).kind == DTypeKind::integer; }
/// boolean, uint8 or bfloat16: arithmetic asks for a cast.
constexpr bool is_storage(DType dtype) { return detail::facts_of(dtype).kind == DTypeKind::storage; }

/// uint8, int32 or int64: what can be an index, a label or a count.
constexpr bool is_whole(DType dtype) { return detail::facts_of(dtype).values == DTypeValues::whole; }
/// bfloat16, float32 or float64: floating-point numbers. Derivatives flow through them, those of bfloat16 as float32.
constexpr bool is_real(DType dtype) { return detail::facts_of(dtype).values == DTypeValues::real; }

/// The type in which elements are compared and selected: int32 for boolean and uint8, float32 for bfloat16, else itself.
constexpr DType number_dtype(DType dtype) { return detail::facts_of(dtype).number_dtype; }
/// The type of derivatives of and with respect to a tensor of real numbers: float32 for bfloat16, else its own.
constexpr DType derivative_dtype(DType dtype) { return is_real(dtype) ? number_dtype(dtype) : dtype; }

/// The dtype in which two meet, in comparisons, selections and, where it computes, arithmetic: of whole numbers the wider
/// one; of whole numbers and float32 or float64 the latter; of bfloat16 and one of these the latter, too. float32 and
/// float64 do not meet, nor do bfloat16 and whole numbers, nor booleans and others: one of them has to be cast.
constexpr std::optional<DType> promoted(DType a, DType b) {
  if (a == b) {
    return a;
  }
  if (is_whole(a) && is_whole(b)) {
    return size_of(a) > size_of(b) ? a : b;
  }
  const bool are_numbers = (is_whole(a) || is_real(a)) && (is_whole(b) || is_real(b));
  if (!are_numbers || is_floating(a) == is_floating(b)) {
    return std::nullopt;
  }
  return is_floating(a) ? a : b;
}

/// Whether an element of type \p dtype can be \p number, up to rounding of floating ones.
bool fits(double number, DType dtype);

/// Whether \p T is one of the C++ types that tensors hold.
template <class T>
inline constexpr bool is_element_type = detail::row_number<T> < dtype_count;

/// The dtype of the C++ type \p T.
template <class T>
constexpr DType dtype_of() {
  static_assert(is_element_type<T>,
                "tensors hold bool, uint8, int32, int64, bfloat16, float and double; cast to one of them");
  return static_cast<DType>(detail::row_number<T>);
}

/// Calls \p f with a value of the C++ type of \p dtype:
/// `dispatch(dtype, [&](auto zero) { using T = decltype(zero); ... })`.
template <class F>
constexpr decltype(auto) dispatch(DType dtype, F&& f) {
  switch (dtype) {
    case DType::boolean: return f(detail::zero_of<DType::boolean>());
    case DType::uint8: return f(detail::zero_of<DType::uint8>());
    case DType::int32: return f(detail::zero_of<DType::int32>());
    case DType::int64: return f(detail::zero_of<DType::int64>());
    case DType::bfloat16: return f(detail::zero_of<DType::bfloat16>());
    case DType::float32: return f(detail::zero_of<DType::float32>());
    case DType::float64: return f(detail::zero_of<DType::float64>());
  }
  __builtin_unreachable();
}

// What follows neither is a constant expression nor has a deduced result: Clang would compile f where it is called, before
// what stands behind it in its class, and leave that out.

namespace detail {

template <bool (*wanted)(DType), class F>
auto dispatch_wanted(DType dtype, F&& f, std::string_view op) -> decltype(f(float{})) {
  return dispatch(dtype, [&](auto zero) -> decltype(f(float{})) {
    if constexpr (wanted(dtype_of<decltype(zero)>())) {
      return f(zero);
    } else {
      raise_no_arithmetic(dtype, op);
    }
  });
}

constexpr bool is_number(DType dtype) { return !is_storage(dtype); }

}  // namespace detail

/// dispatch for the types that compute: \p f is not compiled for those that are for storage.
/// \throws DTypeError `[op]` for these.
template <class F>
auto dispatch_numbers(DType dtype, F&& f, std::string_view op = "dtype") -> decltype(f(float{})) {
  return detail::dispatch_wanted<detail::is_number>(dtype, f, op);
}

/// dispatch for float32 and float64: \p f is compiled for these alone. \throws DTypeError `[op]` for others.
template <class F>
auto dispatch_floating(DType dtype, F&& f, std::string_view op = "dtype") -> decltype(f(float{})) {
  return detail::dispatch_wanted<is_floating>(dtype, f, op);
}

/// dispatch for bfloat16, float32 and float64: for what looks at numbers, or moves them, and computes nothing.
/// \throws DTypeError `[op]` for others.
template <class F>
auto dispatch_real(DType dtype, F&& f, std::string_view op = "dtype") -> decltype(f(float{})) {
  return detail::dispatch_wanted<is_real>(dtype, f, op);
}

}  // namespace xgrad
