#include "autograd/array/print_elements.hpp"

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <type_traits>

#include "autograd/array/xtensor_io.hpp"

/// \file
/// A file of its own, because xtensor's printing takes seconds to compile, for each type of element: all integers are
/// printed as int64, and bfloat16 as the float32 that it is the upper half of.

namespace xgrad::detail {

namespace {

template <class Printed, class T>
void print_as(std::ostream& out, const T* elements, const Array& array) {
  Array printed(array.shape(), dtype_of<Printed>());
  std::copy_n(elements, array.size(), printed.data<Printed>());
  out << view<Printed>(printed);
}

}  // namespace

void print_elements(std::ostream& out, const Array& array) {
  if (array.size() == 0) {  // braces alone would not tell how many there are of none
    out << "{}";
    if (array.shape().ndim() > 1) {
      out << ", shape=" << to_string(array.shape());
    }
    return;
  }
  dispatch(array.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      print_as<std::int64_t>(out, array.data<T>(), array);
    } else if constexpr (std::is_same_v<T, BFloat16>) {
      print_as<float>(out, array.data<T>(), array);
    } else {
      out << view<T>(array);
    }
  });
}

}  // namespace xgrad::detail
