#pragma once

#include <string>

#include "autograd/graph/tensor.hpp"

/// \file
/// Where numbers that are not finite come from.

namespace xgrad::debug {

/// Where the first element of \p tensor that is NaN or infinite was born: the operation and its line, the element and the
/// numbers that went into it, the operations behind it with the ranges of what they gave, and the likely cause. Each line is
/// a sentence of its own. Empty when all elements are finite.
///
/// What \p tensor was computed from is computed again for it, node by node; effects do not happen again, and no variable
/// changes. The history has to be there: what a compiled function gave has none; see require_finite and
/// PlanOptions::check_finite for those.
std::string explain_not_finite(const Tensor& tensor);

}  // namespace xgrad::debug
