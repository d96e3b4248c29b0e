#pragma once

#include <cstdint>

#include "autograd/loops/body.hpp"

/// \file
/// Programs for many samples, with their effects. Not installed.

namespace xgrad::detail {

/// What of a program is wanted for all samples: outputs, in order, and whether they have an axis of samples.
struct MappedOutputs {
  std::vector<std::size_t> numbers;
  Flags batched;
};

/// \p program for \p size samples, on axis 0 of those inputs that are \p batched and of those \p outputs that are to have it:
/// others do not depend on the sample. Effects happen for all samples at once, or once where they do not depend on it.
Ref<const SubProgram> mapped_program(const SubProgram& program, const Flags& batched, std::int64_t size,
                                     const MappedOutputs& outputs);
/// The same of all outputs, which all get an axis of samples.
Ref<const SubProgram> mapped_program(const SubProgram& program, const Flags& batched, std::int64_t size);

}  // namespace xgrad::detail
