#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <vector>

#include "autograd/graph/subprogram.hpp"

/// \file
/// Transformed sub-programs: what the rules of operations that run one are made of. Not installed.

namespace xgrad::detail {

/// A sub-program, and of which inputs or outputs of the original one its results are the derivatives. Null where there are
/// none.
struct Derivative {
  Ref<const SubProgram> program;
  std::vector<std::size_t> of;
};

/// The outputs without the effects on the way: derivatives do not repeat them.
Tensors pure_outputs(const SubProgram& program);
/// The program that computes the same and has no effects.
Ref<const SubProgram> without_effects(const SubProgram& program);

/// (inputs, cotangents of the outputs that have one) to the cotangents of those inputs that are wanted and reached. It
/// computes what it needs of the original again.
/// \param has_cotangent per output. \param wanted per input.
Derivative vjp_of(const SubProgram& program, const std::vector<bool>& has_cotangent, const std::vector<bool>& wanted);

/// (inputs, tangents of the inputs that have one) to the tangents of those outputs that are reached.
/// \param has_tangent per input.
Derivative jvp_of(const SubProgram& program, const std::vector<bool>& has_tangent);

/// The outputs for \p size samples at once, samples on axis 0 of those inputs that are \p batched and of all outputs.
Ref<const SubProgram> vmap_of(const SubProgram& program, const std::vector<bool>& batched, std::int64_t size);

/// The results of \p program on \p inputs, of which derivatives keep nothing but the inputs.
Tensors run_again_for_derivatives(const Ref<const SubProgram>& program, const Tensors& inputs,
                                  const std::source_location& where);

}  // namespace xgrad::detail
