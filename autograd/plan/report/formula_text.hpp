#pragma once

#include <string>

#include "autograd/plan/passes/draft.hpp"

namespace xgrad::plan {

/// `(a, b) -> a + b | relu(a + b)`: a formula on \p input_count inputs; each result is written out, what they share is
/// computed once.
std::string formula_text(const FusedFormula& formula, std::size_t input_count);

}  // namespace xgrad::plan
