#pragma once

#include <string>

#include "tests/golden/entries.hpp"

/// \file
/// The comparison of one case of each kind: a line that says what differs, empty when nothing does.
/// \throws FileError, from all of them, for a case that is not as README.md says or names what is not known; and what
/// the library throws.

namespace xgrad::golden {

/// Value, vjp, jvp and second derivative of an op in float64; value and vjp in float32.
std::string compare_op(Entries& entries);

/// The points that an optimiser passes through.
std::string compare_optimizer(Entries& entries);

/// The learning rates of a schedule, from step 0.
std::string compare_schedule(Entries& entries);

}  // namespace xgrad::golden
