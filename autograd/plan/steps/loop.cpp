#include <cstddef>
#include <memory>
#include <utility>

#include "autograd/plan/steps/loop_plan.hpp"
#include "autograd/plan/steps/step_kind.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Steps that run a plan many times.

namespace xgrad::plan {

namespace {

// Of the first outputs, which are read; the working memory stands behind them.
std::vector<bool> wanted_outputs(const Draft& draft, const Step& step, std::size_t count) {
  const std::vector<bool> used = memory_in_use(draft);
  std::vector<bool> wanted;
  for (std::size_t i = 0; i < count; ++i) {
    wanted.push_back(used[step.outputs[i]]);
  }
  return wanted;
}

NestedMemory memory_of(const LoopPlan& plan, std::size_t inputs, std::size_t outputs) {
  return {plan.memory_bytes(), inputs + outputs};
}

class LoopKernel final : public Kernel {
 public:
  LoopKernel(LoopPlan plan, std::vector<bool> wanted, Operands in, Operands out)
      : plan_(std::move(plan)),
        layout_(memory_of(plan_, in.size(), out.size())),
        memory_(out.back()),
        wanted_(std::move(wanted)),
        in_(std::move(in)),
        out_(std::move(out)) {}

  void run(const Block& block) const override {
    std::byte* memory = memory_.at(block.bases, block.scratch, block.first);
    void** in = layout_.pointers(memory);
    void** out = put_pointers(in_, block, in);
    put_pointers(out_, block, out);
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      out[i] = wanted_[i] ? out[i] : nullptr;
    }
    plan_.run(in, out, memory, block.scratch, block.threads);
  }

 private:
  LoopPlan plan_;
  NestedMemory layout_;
  Operand memory_;
  std::vector<bool> wanted_;
  Operands in_;
  Operands out_;
};

struct LoopStep final : StepKind {
  double cost(const Draft&, const Step& step) const override {
    constexpr double unknown_steps = 100;
    const auto* loop = step.operation->as<Loop>();
    return step.nested[0]->cost() * (loop->stops ? unknown_steps : static_cast<double>(loop->steps));
  }
  Alone alone() const override { return Alone::always; }
  bool folds() const override { return false; }
  bool skips_output(const Step& step, std::size_t output) const override { return output + 1 < step.outputs.size(); }

  void plan_nested(Draft& draft, Step& step, const NestedPlanner& planner) const override {
    const auto* loop = step.operation->as<Loop>();
    const std::vector<bool> wanted = wanted_outputs(draft, step, step.outputs.size());
    step.nested = LoopPlan::plan_steps(*loop, wanted, planner);
    const LoopPlan plan(*loop, wanted, step.nested);
    const NestedMemory memory = memory_of(plan, step.inputs.size(), step.outputs.size() + 1);
    step.outputs.push_back(draft.add_value({{static_cast<std::int64_t>(memory.bytes())}, DType::uint8}));
  }
  std::unique_ptr<const Kernel> bind(const Draft& draft, const Step& step, Binding binding) const override {
    std::vector<bool> wanted = wanted_outputs(draft, step, step.outputs.size() - 1);
    LoopPlan plan(*step.operation->as<Loop>(), wanted, step.nested);
    return std::make_unique<LoopKernel>(std::move(plan), std::move(wanted), std::move(binding.in),
                                        std::move(binding.out));
  }

  std::string text(const Step& step) const override {
    const auto* loop = step.operation->as<Loop>();
    const NestedPlan& plan = *step.nested[0];
    const std::string kernels = phrase("{} kernels in {} phases", plan.draft().steps.size(), plan.phase_count());
    return loop->stops ? phrase("runs {} as long as the condition is true", kernels)
                       : phrase("runs {} {}{} times{}", kernels, loop->counted ? "up to " : "", loop->steps,
                                loop->reverse ? ", from the last to the first" : "");
  }
  double flops(const Draft&, const Step& step) const override {
    const auto* loop = step.operation->as<Loop>();
    return flops_of(step.nested[0]->draft()) * (loop->is_bounded() ? static_cast<double>(loop->steps) : 1);
  }
};

constexpr LoopStep loop_kind;

}  // namespace

constinit const StepKind* const loop_step = &loop_kind;

}  // namespace xgrad::plan
