#include "autograd/array/dtype.hpp"
#include "autograd/plan/passes/passes.hpp"

namespace xgrad::plan {

void add_checks(Draft& draft) {
  std::vector<Step> steps;
  for (Step& step : draft.steps) {
    steps.push_back(std::move(step));
    const Step& computed = steps.back();
    std::vector<Step> checks;
    for (const ValueId output : computed.outputs) {
      if (is_real(draft.spec(output).dtype)) {
        Step check;
        check.kind = check_step;
        check.inputs = {output};
        check.operation = computed.operation;
        check.where = computed.where;
        check.label = computed.label;
        check.node = computed.node;
        check.name = computed.name;
        checks.push_back(std::move(check));
      }
    }
    for (Step& check : checks) {
      steps.push_back(std::move(check));
    }
  }
  draft.steps = std::move(steps);
}

}  // namespace xgrad::plan
