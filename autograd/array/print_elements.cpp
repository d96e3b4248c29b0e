#include "autograd/array/print_elements.hpp"

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <type_traits>

#include "autograd/array/xtensor_io.hpp"

/// \file
/// A file of its own, because xtensor's printing takes seconds to compile, for each type of element: all integers are
/// printed as int64.

namespace xgrad::detail {

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
      Array integers(array.shape(), DType::int64);
      std::copy_n(array.data<T>(), array.size(), integers.data<std::int64_t>());
      out << view<std::int64_t>(integers);
    } else {
      out << view<T>(array);
    }
  });
}

}  // namespace xgrad::detail
