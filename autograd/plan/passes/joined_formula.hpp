#pragma once

#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "autograd/formula/recorder.hpp"
#include "autograd/plan/steps/draft.hpp"

/// \file
/// Joining the formulas of several steps into one.

namespace xgrad::plan {

/// Collects formulas on values of the draft. Equal values, constants and steps are there once.
class JoinedFormula {
 public:
  /// A number on the way: an input, a constant or the result of a primitive.
  using Number = detail::ProgramRecorder::Value;

  Number input(ValueId value);
  Number constant(double value) { return recorder_.constant(value); }
  /// All numbers of \p program, with \p inputs in the place of its inputs, in its own numbering.
  std::vector<Number> add(const Program& program, std::span<const Number> inputs) {
    return recorder_.replay(program, inputs);
  }

  /// The formula that gives \p results, and the values that it reads; what no result needs is left out.
  std::pair<FusedFormula, std::vector<ValueId>> finish(std::span<const Number> results, DType compute) const;

 private:
  detail::ProgramRecorder recorder_;
  std::vector<ValueId> inputs_;
  std::unordered_map<ValueId, Number> known_inputs_;
};

}  // namespace xgrad::plan
