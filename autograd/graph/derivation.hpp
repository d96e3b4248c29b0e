#pragma once

#include "autograd/graph/effects.hpp"
#include "autograd/graph/source_break.hpp"

/// \file
/// While the derivative of a program is built. Not installed.

namespace xgrad::detail {

/// While it lives, the derivative of a program is built. The nodes carry the lines of the program, not that of the operation
/// that runs it. Effects that rules make belong to the derivative: they happen when that runs, not now.
class Derivation {
 private:
  SourceBreak source_;
  EffectsWait wait_;
};

}  // namespace xgrad::detail
