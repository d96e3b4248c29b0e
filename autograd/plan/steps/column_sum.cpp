#include <cstdint>
#include <utility>

#include "autograd/kernels/kernels.hpp"
#include "autograd/plan/steps/step_kernels.hpp"

/// \file
/// Sums over axis 0.

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

}  // namespace

std::unique_ptr<const Kernel> make_column_sum_kernel(const Draft& draft, const Step& step, Operands in, Operands out) {
  const Spec& spec = draft.spec(step.inputs[0]);
  return std::make_unique<ColumnSumKernel>(spec.shape, spec.dtype, std::move(in), std::move(out));
}

}  // namespace xgrad::plan
