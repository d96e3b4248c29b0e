#include <cstddef>
#include <memory>
#include <utility>

#include "autograd/graph/operation.hpp"
#include "autograd/plan/steps/step_kind.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Steps that are plans themselves.

namespace xgrad::plan {

namespace {

/// Another plan, in memory of this one. The last output is that memory.
class ProgramKernel final : public Kernel {
 public:
  ProgramKernel(std::shared_ptr<const NestedPlan> plan, const NestedMemory& memory, Operands in, Operands out)
      : plan_(std::move(plan)), layout_(memory), memory_(out.back()), in_(std::move(in)), out_(std::move(out)) {}

  void run(const Block& block) const override {
    std::byte* memory = memory_.at(block.bases, block.scratch, block.first);
    void** in = layout_.pointers(memory);
    void** out = put_pointers(in_, block, in);
    put_pointers(out_, block, out);
    plan_->run_inside(in, out, memory, block.scratch, block.threads);
  }

 private:
  std::shared_ptr<const NestedPlan> plan_;
  NestedMemory layout_;
  Operand memory_;
  Operands in_;
  Operands out_;
};

NestedMemory memory_of(const NestedPlan& plan, std::size_t inputs, std::size_t outputs) {
  return {plan.inside_bytes(), inputs + outputs};
}

struct ProgramStep final : StepKind {
  double cost(const Draft&, const Step& step) const override { return step.nested[0]->cost(); }
  Alone alone() const override { return Alone::always; }
  bool folds() const override { return false; }

  void plan_nested(Draft& draft, Step& step, const NestedPlanner& planner) const override {
    step.nested.push_back(planner.plan(*step.operation->program()));
    const NestedMemory memory = memory_of(*step.nested[0], step.inputs.size(), step.outputs.size() + 1);
    step.outputs.push_back(draft.add_value({{static_cast<std::int64_t>(memory.bytes())}, DType::uint8}));
  }
  std::unique_ptr<const Kernel> bind(const Draft&, const Step& step, Binding binding) const override {
    return std::make_unique<ProgramKernel>(step.nested[0],
                                           memory_of(*step.nested[0], step.inputs.size(), step.outputs.size()),
                                           std::move(binding.in), std::move(binding.out));
  }

  std::string text(const Step& step) const override {
    const NestedPlan& plan = *step.nested[0];
    return phrase("runs {} kernels in {} phases", plan.draft().steps.size(), plan.phase_count());
  }
  double flops(const Draft&, const Step& step) const override { return flops_of(step.nested[0]->draft()); }
};

constexpr ProgramStep program_kind;

}  // namespace

constinit const StepKind* const program_step = &program_kind;

}  // namespace xgrad::plan
