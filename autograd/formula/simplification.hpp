#pragma once

#include "autograd/formula/builder.hpp"

/// \file
/// Algebra on formulas that derivatives need to stay short.

namespace xgrad::detail {

/// \p x, perhaps in fewer steps, as a sum of products: like terms are added, powers and constant factors collected, factors
/// that cancel left out. Repeated derivatives would otherwise grow by a factor with each order.
///
/// What is computed stays as exact: sums are taken apart only where their terms are products themselves, so that 1 - x
/// or (1 - x)(1 + x) stay whole; and a quotient of powers is a power of quotients, which overflows no sooner than the
/// result.
Scalar collect_terms(FormulaBuilder& builder, Scalar x);

}  // namespace xgrad::detail
