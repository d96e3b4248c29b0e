#include <cstddef>
#include <memory>
#include <utility>

#include "autograd/plan/steps/nested_plan.hpp"
#include "autograd/plan/steps/step_kernels.hpp"

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

}  // namespace

std::unique_ptr<const Kernel> make_program_kernel(const Step& step, Operands in, Operands out) {
  return std::make_unique<ProgramKernel>(step.nested[0], std::move(in), std::move(out));
}

}  // namespace xgrad::plan
