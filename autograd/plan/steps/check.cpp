#include <cstdint>
#include <string>
#include <utility>

#include "autograd/kernels/kernels.hpp"
#include "autograd/plan/steps/step_kernels.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Steps that look for numbers that are not finite.

namespace xgrad::plan {

namespace {

class CheckKernel final : public Kernel {
 public:
  CheckKernel(const Step& step, Spec spec, Operands in) : name_(step.name), spec_(spec), in_(std::move(in)) {
    row_ = spec.shape.empty() || spec.shape[0] == 0 ? 1 : spec.shape.element_count() / spec.shape[0];
  }

  void run(const Block& block) const override {
    const std::int64_t shift = block.first * row_ * static_cast<std::int64_t>(size_of(spec_.dtype));
    const auto start = reinterpret_cast<std::intptr_t>(in_[0].at(block.bases, block.scratch, block.first));
    if (!kernels::all_finite(spec_.dtype, reinterpret_cast<const void*>(start + shift),
                             (block.last - block.first) * row_)) {
      raise<ValueError>(name_, phrase("its result of {} has NaN or infinite elements; look at its operands, or "
                                      "lower the learning rate",
                                      to_string(spec_)));
    }
  }

 private:
  std::string name_;
  Spec spec_;
  Operands in_;
  std::int64_t row_;
};

}  // namespace

std::unique_ptr<const Kernel> make_check_kernel(const Draft& draft, const Step& step, Operands in) {
  return std::make_unique<CheckKernel>(step, draft.spec(step.inputs[0]), std::move(in));
}

}  // namespace xgrad::plan
