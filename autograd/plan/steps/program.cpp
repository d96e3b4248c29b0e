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

/// Another plan, in memory of this one.
class ProgramKernel final : public Kernel {
 public:
  ProgramKernel(std::shared_ptr<const NestedPlan> plan, Operands in, Operands out)
      : plan_(std::move(plan)), in_(std::move(in)), out_(std::move(out)) {}

  void run(const Block& block) const override {
    const Pointers in(in_, block);
    const Pointers out(out_, block);
    plan_->run_inside(in.data(), out.data(), static_cast<std::byte*>(out[out_.size() - 1]), block.scratch,
                      block.threads);
  }

 private:
  std::shared_ptr<const NestedPlan> plan_;
  Operands in_;
  Operands out_;
};

struct ProgramStep final : StepKind {
  double cost(const Draft&, const Step& step) const override { return step.nested[0]->cost(); }
  Alone alone() const override { return Alone::always; }
  bool folds() const override { return false; }

  void plan_nested(Draft& draft, Step& step, const NestedPlanner& planner) const override {
    step.nested.push_back(planner.plan(*step.operation->program()));
    const auto bytes = static_cast<std::int64_t>(step.nested[0]->inside_bytes());
    step.outputs.push_back(draft.add_value({{bytes}, DType::uint8}));
  }
  std::unique_ptr<const Kernel> bind(const Draft&, const Step& step, Binding binding) const override {
    return std::make_unique<ProgramKernel>(step.nested[0], std::move(binding.in), std::move(binding.out));
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
