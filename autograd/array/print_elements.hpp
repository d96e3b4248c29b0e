#pragma once

#include <iosfwd>

#include "autograd/array/array.hpp"

namespace xgrad::detail {

/// Writes the elements in nested braces, as xtensor does: rounded, and with the middle of long axes left out. Without elements it is
/// `{}`, and `{}, shape=(0, 3)` with more than one axis, as NumPy says it.
void print_elements(std::ostream& out, const Array& array);

}  // namespace xgrad::detail
