#pragma once

#include <optional>

#include "autograd/formula/builder.hpp"

/// \file
/// Algebra on formulas that derivatives need to stay short.

namespace xgrad::detail {

/// \p x, perhaps in fewer steps, as a sum of products: like terms are added, powers and constant factors collected. Repeated
/// derivatives would otherwise grow by a factor with each order. Nothing where that takes longer than the formula is worth:
/// x had better stay as it is.
///
/// What is computed stays as exact: sums are taken apart only where their terms are products themselves, so that 1 - x
/// or (1 - x)(1 + x) stay whole; and a quotient of powers is a power of quotients, which overflows no sooner than the
/// result.
///
/// What is computed stays as honest: where x is NaN, in exact arithmetic on finite and infinite numbers, the simpler form is
/// NaN or infinite, and infinite only where a factor that terms have in common was taken out of them, in a sum such as
/// inf - inf. No such sum becomes a divisor.
std::optional<Scalar> collect_terms(FormulaBuilder& builder, Scalar x);

}  // namespace xgrad::detail
