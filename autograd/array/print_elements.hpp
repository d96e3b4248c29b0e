#pragma once

#include <iosfwd>

#include "autograd/array/array.hpp"

namespace xgrad::detail {

/// Writes the elements in nested braces, as xtensor does: rounded, and with the middle of long axes left out.
void print_elements(std::ostream& out, const Array& array);

}  // namespace xgrad::detail
