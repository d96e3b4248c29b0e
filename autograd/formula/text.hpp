#pragma once

#include <string>

#include "autograd/formula/program.hpp"

namespace xgrad::detail {

/// `(a, b) -> a + b | relu(a + b)`: values used more than once are named first; each result is written out as if it were
/// alone.
std::string to_string(const Program& program);

}  // namespace xgrad::detail
