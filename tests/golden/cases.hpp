#pragma once

#include <string>

#include "tests/golden/entries.hpp"

/// \file
/// The comparison of one case of each kind: a line that says what differs, empty when nothing does.
/// \throws FileError, from all of them, for a case that is not as README.md says or names what is not known; and what
/// the library throws.

namespace xgrad::golden {

/// How far numbers in float64 may be from their references, relative to the largest of an array.
inline constexpr double reference_tolerance = 1e-9;

/// Value, vjp, jvp and second derivative of an op in float64; value and vjp in float32.
std::string compare_op(Entries& entries);

/// The points that an optimiser passes through.
std::string compare_optimizer(Entries& entries);

/// Outputs, gradients and a second derivative of a recurrent layer with PyTorch's weights, in float64, eagerly and compiled.
std::string compare_recurrent(Entries& entries);

/// The learning rates of a schedule, from step 0.
std::string compare_schedule(Entries& entries);

}  // namespace xgrad::golden
