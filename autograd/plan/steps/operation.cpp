#include <cstdint>
#include <utility>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/plan/steps/step_kind.hpp"

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

std::vector<Spec> specs_of(const Draft& draft, const std::vector<ValueId>& ids) {
  std::vector<Spec> result;
  for (const ValueId id : ids) {
    result.push_back(draft.spec(id));
  }
  return result;
}

struct OperationStep final : StepKind {
  std::int64_t rows(const Draft& draft, const Step& step) const override {
    const Shape& shape = is_cut(step) ? draft.spec(step.outputs[0]).shape : Shape();
    return shape.empty() ? 1 : shape[0];
  }
  bool reads_rows(const Draft&, const Step& step, std::size_t) const override { return is_cut(step); }
  double cost(const Draft& draft, const Step& step) const override {
    constexpr double operation_element_ns = 0.5;  // in whatever kernel
    return operation_element_ns * moved_elements(draft, step);
  }
  Alone alone() const override { return Alone::when_large; }
  bool skips_output(const Step& step, std::size_t) const override { return step.operation->traits().skips_outputs; }

  std::unique_ptr<const Kernel> bind(const Draft& draft, const Step& step, Binding binding) const override {
    return std::make_unique<OperationKernel>(step.operation, specs_of(draft, step.inputs),
                                             specs_of(draft, step.outputs), rows_of(draft, step) > 1,
                                             std::move(binding.in), std::move(binding.out));
  }

 private:
  static bool is_cut(const Step& step) { return step.splits_rows && step.outputs.size() == 1; }
};

constexpr OperationStep operation_kind;

}  // namespace

constinit const StepKind* const operation_step = &operation_kind;

}  // namespace xgrad::plan
