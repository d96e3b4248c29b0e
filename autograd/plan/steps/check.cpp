#include <cstdint>
#include <string>
#include <utility>

#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/require_finite.hpp"
#include "autograd/plan/steps/step_kind.hpp"
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
      raise<NotFiniteError>(name_, phrase("its result of {} has NaN or infinite elements; look at its operands, or "
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

struct CheckStep final : StepKind {
  std::int64_t rows(const Draft& draft, const Step& step) const override {
    const Shape& shape = draft.spec(step.inputs[0]).shape;
    return shape.empty() ? 1 : shape[0];
  }
  bool reads_rows(const Draft&, const Step&, std::size_t) const override { return true; }
  double cost(const Draft& draft, const Step& step) const override { return element_ns * moved_elements(draft, step); }

  std::unique_ptr<const Kernel> bind(const Draft& draft, const Step& step, Binding binding) const override {
    return std::make_unique<CheckKernel>(step, draft.spec(step.inputs[0]), std::move(binding.in));
  }

  std::string text(const Step&) const override { return "check that all is finite"; }
};

constexpr CheckStep check_kind;

}  // namespace

constinit const StepKind* const check_step = &check_kind;

}  // namespace xgrad::plan
