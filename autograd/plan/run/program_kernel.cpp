#include <cstddef>
#include <memory>
#include <utility>

#include "autograd/plan/run/executable.hpp"
#include "autograd/plan/run/step_kernels.hpp"

/// \file
/// Steps that are plans themselves.

namespace xgrad::plan {

namespace {

/// Another plan, in memory of this one.
class ProgramKernel final : public Kernel {
 public:
  ProgramKernel(std::shared_ptr<const Executable> executable, Operands in, Operands out)
      : executable_(std::move(executable)), in_(std::move(in)), out_(std::move(out)) {}

  void run(const Block& block) const override {
    const Pointers in(in_, block);
    const Pointers out(out_, block);
    executable_->run_inside(in.data(), out.data(), static_cast<std::byte*>(out[out_.size() - 1]), block.scratch,
                            block.threads);
  }

 private:
  std::shared_ptr<const Executable> executable_;
  Operands in_;
  Operands out_;
};

}  // namespace

std::unique_ptr<const Kernel> make_program_kernel(const Step& step, Operands in, Operands out) {
  return std::make_unique<ProgramKernel>(step.nested.executable, std::move(in), std::move(out));
}

}  // namespace xgrad::plan
