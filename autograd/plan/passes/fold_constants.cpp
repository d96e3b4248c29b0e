#include <algorithm>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/plan/passes/passes.hpp"
#include "autograd/plan/steps/step_kind.hpp"

/// \file
/// What depends on constants alone is computed once, when the plan is made.

namespace xgrad::plan {

namespace {

/// Results of more bytes than this and than what they are computed from are left to the run: a plan should not carry
/// large arrays of zeros.
constexpr std::size_t most_folded_bytes = 4096;

bool worth_folding(const Draft& draft, const Step& step) {
  std::size_t in = most_folded_bytes;
  std::size_t out = 0;
  for (const ValueId input : step.inputs) {
    if (draft.constant(input) == nullptr) {
      return false;
    }
    in = std::max(in, draft.bytes(input));
  }
  for (const ValueId output : step.outputs) {
    out += draft.bytes(output);
  }
  return out <= in && step.total && step.effect.empty() && step.kind->folds();
}

void compute_now(Draft& draft, const Step& step) {
  std::vector<ConstView> in;
  std::vector<View> out;
  std::vector<Array> results;
  for (const ValueId input : step.inputs) {
    in.push_back({static_cast<const std::byte*>(draft.constant(input)->data()) + draft.values[input].offset,
                  &draft.values[input].spec});
  }
  for (const ValueId output : step.outputs) {
    results.emplace_back(draft.spec(output).shape, draft.spec(output).dtype);
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    out.push_back({results[i].data(), &draft.values[step.outputs[i]].spec});
  }
  step.operation->eval(in, out);
  for (std::size_t i = 0; i < results.size(); ++i) {
    Value& value = draft.values[step.outputs[i]];
    value.source = Value::Source::constant;
    value.number = static_cast<std::uint32_t>(draft.constants.size());
    draft.constants.push_back(results[i]);
  }
}

}  // namespace

void fold_constants(Draft& draft) {
  // An alias of what became a constant is one.
  const auto follow = [&](ValueId id) {
    Value& value = draft.values[id];
    const Value& memory = draft.values[value.memory];
    value.source = memory.source;
    value.number = memory.number;
  };
  keep_steps(draft, [&](std::uint32_t i) {
    Step& step = draft.steps[i];
    std::for_each(step.inputs.begin(), step.inputs.end(), follow);
    const bool folds = worth_folding(draft, step);
    if (folds) {
      compute_now(draft, step);
    }
    return !folds;
  });
  std::for_each(draft.outputs.begin(), draft.outputs.end(), follow);
}

}  // namespace xgrad::plan
