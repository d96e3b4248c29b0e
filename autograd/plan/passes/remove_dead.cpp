#include <algorithm>
#include <vector>

#include "autograd/plan/passes/passes.hpp"

/// \file
/// Dead code.

namespace xgrad::plan {

void remove_dead(Draft& draft) {
  std::vector<bool> needed(draft.values.size());
  const auto need = [&](ValueId id) {
    for (; !needed[id]; id = draft.values[id].whole) {
      needed[id] = true;
    }
  };
  for (const ValueId output : draft.outputs) {
    need(output);
  }
  std::vector<bool> alive(draft.steps.size());
  for (std::size_t i = draft.steps.size(); i-- > 0;) {
    const Step& step = draft.steps[i];
    alive[i] = step.kind == check_step || !step.effect.empty() ||
               std::any_of(step.outputs.begin(), step.outputs.end(), [&](ValueId id) { return needed[id]; });
    if (alive[i]) {
      std::for_each(step.inputs.begin(), step.inputs.end(), need);
    }
  }
  keep_steps(draft, [&](std::uint32_t i) { return alive[i]; });
}

}  // namespace xgrad::plan
