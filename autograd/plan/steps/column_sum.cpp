#include <cstdint>
#include <utility>

#include "autograd/kernels/kernels.hpp"
#include "autograd/plan/steps/step_kind.hpp"

/// \file
/// Sums over axis 0; what is cut is the columns, which are the rows of the result.

namespace xgrad::plan {

namespace {

class ColumnSumKernel final : public Kernel {
 public:
  ColumnSumKernel(const Shape& in, DType dtype, Operands from, Operands to)
      : n_(in[0]), dtype_(dtype), in_(std::move(from)), out_(std::move(to)) {
    for (std::size_t axis = 2; axis < in.ndim(); ++axis) {
      row_ *= in[axis];
    }
    columns_ = in[1] * row_;
  }

  void run(const Block& block) const override {
    const std::int64_t shift = block.first * row_ * static_cast<std::int64_t>(size_of(dtype_));
    const auto at = [&](void* data) { return reinterpret_cast<void*>(reinterpret_cast<std::intptr_t>(data) + shift); };
    const Pointers in(in_, block);
    const Pointers out(out_, block);
    kernels::sum_columns(dtype_, at(in[0]), at(out[0]), n_, (block.last - block.first) * row_, columns_);
  }

 private:
  std::int64_t n_;
  DType dtype_;
  Operands in_;
  Operands out_;
  std::int64_t row_ = 1;
  std::int64_t columns_ = 0;
};

struct ColumnSumStep final : StepKind {
  std::int64_t rows(const Draft& draft, const Step& step) const override {
    const Shape& shape = draft.spec(step.outputs[0]).shape;
    return shape.empty() ? 1 : shape[0];
  }
  double cost(const Draft& draft, const Step& step) const override { return element_ns * moved_elements(draft, step); }
  bool writes_whole(const Step&) const override { return true; }

  std::unique_ptr<const Kernel> bind(const Draft& draft, const Step& step, Binding binding) const override {
    const Spec& spec = draft.spec(step.inputs[0]);
    return std::make_unique<ColumnSumKernel>(spec.shape, spec.dtype, std::move(binding.in), std::move(binding.out));
  }
};

constexpr ColumnSumStep column_sum_kind;

}  // namespace

constinit const StepKind* const column_sum_step = &column_sum_kind;

}  // namespace xgrad::plan
