#pragma once

#include <span>
#include <string_view>

#include "autograd/graph/description.hpp"

#include "autograd/plan/steps/draft.hpp"

/// \file
/// The passes that make a draft better, in the order in which they run. Each leaves a valid draft that computes the same.

namespace xgrad::plan {

/// What computes \p outputs, values of \p description. The first \p argument_count leaves are given at each run, the others
/// are constants.
Draft import_graph(const Description& description, std::span<const Description::Value> outputs,
                   std::size_t argument_count);

void fold_constants(Draft& draft);       ///< computes now what depends on nothing that is given later
void merge_common(Draft& draft);         ///< of steps that compute the same from the same, one stays
void remove_dead(Draft& draft);          ///< what no output depends on
void join_scalars(Draft& draft);         ///< computes small tensors number by number, many steps at once
void simplify(Draft& draft);             ///< what a kernel does on the way needs no step: broadcasts, casts, numbers
void cut_products(Draft& draft);         ///< cuts products with large weights into slabs, so that each core owns one
void fuse_formulas(Draft& draft);        ///< joins elementwise steps over the same space
void accumulate_products(Draft& draft);  ///< starts products from what they are added to
void add_checks(Draft& draft);           ///< throws at the first floating result that is not finite
void renumber(Draft& draft);             ///< forgets values and constants that nothing uses any more

/// \throws Error naming \p pass when the draft is not valid: a mistake in the pass.
void verify(const Draft& draft, std::string_view pass);

}  // namespace xgrad::plan
