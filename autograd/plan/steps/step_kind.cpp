#include "autograd/plan/steps/step_kind.hpp"

#include "autograd/graph/operation.hpp"

namespace xgrad::plan {

std::int64_t StepKind::rows(const Draft&, const Step&) const { return 1; }
bool StepKind::reads_rows(const Draft&, const Step&, std::size_t) const { return false; }
std::int64_t StepKind::slabs(const Step&) const { return 1; }
std::int64_t StepKind::adjoining_slabs(const Step&) const { return 1; }
StepKind::Alone StepKind::alone() const { return Alone::never; }
bool StepKind::writes_whole(const Step&) const { return false; }
bool StepKind::reads_before_writing(std::size_t) const { return false; }
bool StepKind::skips_output(const Step&, std::size_t) const { return false; }
bool StepKind::folds() const { return true; }
void StepKind::plan_nested(Draft&, Step&, const NestedPlanner&) const {}
std::optional<Fault> StepKind::find_fault(const Draft&, const Step&) const { return std::nullopt; }

std::string StepKind::text(const Step& step) const {
  return std::string(step.operation->title()) + " " + attributes_text(*step.operation);
}

double StepKind::flops(const Draft& draft, const Step& step) const {
  return static_cast<double>(draft.spec(step.inputs.empty() ? step.outputs[0] : step.inputs[0]).shape.element_count());
}

std::int64_t rows_of(const Draft& draft, const Step& step) {
  return step.effect.empty() ? step.kind->rows(draft, step) : 1;
}

double flops_of(const Draft& draft) {
  double total = 0;
  for (const Step& step : draft.steps) {
    total += step.kind->flops(draft, step);
  }
  return total;
}

double moved_elements(const Draft& draft, const Step& step) {
  double moved = 0;
  for (const auto* ids : {&step.inputs, &step.outputs}) {
    for (const ValueId id : *ids) {
      moved += static_cast<double>(draft.spec(id).shape.element_count());
    }
  }
  return moved;
}

}  // namespace xgrad::plan
