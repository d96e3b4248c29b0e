#include <cstdint>
#include <utility>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/plan/steps/step_kernels.hpp"

/// \file
/// Steps that operations compute themselves.

namespace xgrad::plan {

namespace {

/// What the operation itself computes, on blocks of rows where it can be cut.
class OperationKernel final : public Kernel {
 public:
  OperationKernel(Ref<const AnyOperation> operation, std::vector<Spec> in_specs, std::vector<Spec> out_specs, bool cut,
                  Operands in, Operands out)
      : operation_(std::move(operation)),
        in_specs_(std::move(in_specs)),
        out_specs_(std::move(out_specs)),
        cut_(cut),
        in_(std::move(in)),
        out_(std::move(out)) {}

  void run(const Block& block) const override {
    using SpecList = detail::FixedVector<Spec, 4>;
    const SpecList in_specs(in_.size(), [&](std::size_t i) { return rows_of(in_specs_[i], block); });
    const SpecList out_specs(out_.size(), [&](std::size_t i) { return rows_of(out_specs_[i], block); });
    const Pointers in(in_, block);
    const Pointers out(out_, block);
    const detail::FixedVector<ConstView, 4> from(in_.size(), [&](std::size_t i) {
      return ConstView{first_row(in[i], in_specs_[i], block), &in_specs[i]};
    });
    const detail::FixedVector<View, 4> to(out_.size(), [&](std::size_t i) {
      return View{first_row(out[i], out_specs_[i], block), &out_specs[i]};
    });
    operation_->eval(from.span(), to.span());
  }

 private:
  Spec rows_of(const Spec& spec, const Block& block) const {
    Spec result = spec;
    if (cut_) {
      result.shape[0] = block.last - block.first;
    }
    return result;
  }
  void* first_row(void* data, const Spec& spec, const Block& block) const {
    if (!cut_ || block.first == 0) {
      return data;
    }
    const std::int64_t row =
        spec.shape.element_count() / spec.shape[0] * static_cast<std::int64_t>(size_of(spec.dtype));
    return reinterpret_cast<void*>(reinterpret_cast<std::intptr_t>(data) + block.first * row);
  }

  Ref<const AnyOperation> operation_;
  std::vector<Spec> in_specs_;
  std::vector<Spec> out_specs_;
  bool cut_;
  Operands in_;
  Operands out_;
};

}  // namespace

std::unique_ptr<const Kernel> make_operation_kernel(const Draft& draft, const Step& step, Operands in, Operands out) {
  const auto specs = [&](const std::vector<ValueId>& ids) {
    std::vector<Spec> result;
    for (const ValueId id : ids) {
      result.push_back(draft.spec(id));
    }
    return result;
  };
  return std::make_unique<OperationKernel>(step.operation, specs(step.inputs), specs(step.outputs),
                                           rows_of(draft, step) > 1, std::move(in), std::move(out));
}

}  // namespace xgrad::plan
