#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "autograd/loops/branch.hpp"
#include "autograd/plan/steps/step_kind.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Steps that run one of two plans.

namespace xgrad::plan {

namespace {

using BranchPlans = std::vector<std::shared_ptr<const NestedPlan>>;

// The plans run one or the other, in the same memory.
NestedMemory memory_of(const BranchPlans& plans, std::size_t inputs, std::size_t outputs) {
  return {std::max(plans[0]->inside_bytes(), plans[1]->inside_bytes()), inputs + outputs};
}

class BranchKernel final : public Kernel {
 public:
  BranchKernel(BranchPlans plans, const NestedMemory& memory, Operands in, Operands out)
      : plans_(std::move(plans)), layout_(memory), memory_(out.back()), in_(std::move(in)), out_(std::move(out)) {}

  void run(const Block& block) const override {
    std::byte* memory = memory_.at(block.bases, block.scratch, block.first);
    void** in = layout_.pointers(memory);
    void** out = put_pointers(in_, block, in);
    put_pointers(out_, block, out);
    const bool first = *static_cast<const bool*>(in[0]);
    plans_[first ? 0 : 1]->run_inside(in + 1, out, memory, block.scratch, block.threads);
  }

 private:
  BranchPlans plans_;
  NestedMemory layout_;
  Operand memory_;
  Operands in_;
  Operands out_;
};

struct BranchStep final : StepKind {
  double cost(const Draft&, const Step& step) const override {
    return std::max(step.nested[0]->cost(), step.nested[1]->cost());
  }
  Alone alone() const override { return Alone::always; }
  bool folds() const override { return false; }

  void plan_nested(Draft& draft, Step& step, const NestedPlanner& planner) const override {
    const auto* branch = step.operation->as<Branch>();
    step.nested = {planner.plan(*branch->if_true), planner.plan(*branch->if_false)};
    const NestedMemory memory = memory_of(step.nested, step.inputs.size(), step.outputs.size() + 1);
    step.outputs.push_back(draft.add_value({{static_cast<std::int64_t>(memory.bytes())}, DType::uint8}));
  }
  std::unique_ptr<const Kernel> bind(const Draft&, const Step& step, Binding binding) const override {
    return std::make_unique<BranchKernel>(step.nested, memory_of(step.nested, step.inputs.size(), step.outputs.size()),
                                          std::move(binding.in), std::move(binding.out));
  }

  std::string text(const Step& step) const override {
    return phrase("runs {} kernels, or {}", step.nested[0]->draft().steps.size(), step.nested[1]->draft().steps.size());
  }
  double flops(const Draft&, const Step& step) const override {
    return std::max(flops_of(step.nested[0]->draft()), flops_of(step.nested[1]->draft()));
  }
};

constexpr BranchStep branch_kind;

}  // namespace

constinit const StepKind* const branch_step = &branch_kind;

}  // namespace xgrad::plan
