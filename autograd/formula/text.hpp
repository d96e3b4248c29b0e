#pragma once

#include <cstddef>
#include <string>

#include "autograd/formula/program.hpp"

namespace xgrad::detail {

/// `(a, b) -> a + b | relu(a + b)`: values used more than once are named first; each result is written out as if it were
/// alone.
std::string to_string(const Program& program);

/// What input number \p i is called there: a to z, then x26, x27 ...
std::string input_name(std::size_t i);

}  // namespace xgrad::detail
