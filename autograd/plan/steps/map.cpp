#include <cstdint>
#include <utility>
#include <vector>

#include "autograd/formula/code.hpp"
#include "autograd/formula/text.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/plan/steps/step_kind.hpp"

/// \file
/// Elementwise steps: a formula over a space, rows along axis 0.

namespace xgrad::plan {

namespace {

class MapKernel final : public Kernel {
 public:
  MapKernel(const Draft& draft, const Step& step, const std::vector<bool>& may_be_first_output, Operands in,
            Operands out)
      : in_(std::move(in)), out_(std::move(out)), map_(prepare(draft, step, may_be_first_output)) {
    for (std::size_t axis = 1; axis < step.space.ndim(); ++axis) {
      row_ *= step.space[axis];
    }
    cut_ = !step.space.empty();
  }

  void run(const Block& block) const override {
    const Pointers in(in_, block);
    const Pointers out(out_, block);
    map_.run_range(in.data(), out.data(), cut_ ? block.first * row_ : 0, cut_ ? block.last * row_ : 1);
  }
  void run_alone(const Block& whole) const override {
    map_.run(Pointers(in_, whole).data(), Pointers(out_, whole).data());
  }

 private:
  // Inputs and outputs that may share memory are given the same address, as the prepared map asks for.
  static kernels::PreparedMap prepare(const Draft& draft, const Step& step, const std::vector<bool>& shared) {
    const Program& program = step.formula.program;
    const detail::MapCode code = detail::assemble(program);
    // Addresses that stand for buffers: far apart, never read.
    constexpr std::uintptr_t apart = std::uintptr_t{1} << 40;
    const auto address = [&](std::size_t i) { return reinterpret_cast<void*>(apart * (i + 1)); };
    std::vector<kernels::MapInput> inputs;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const Spec& spec = draft.spec(step.inputs[i]);
      inputs.push_back({address(i), spec.dtype, broadcast_strides(spec.shape, step.space)});
    }
    std::vector<kernels::MapOutput> outputs;
    for (std::size_t i = 0; i < step.outputs.size(); ++i) {
      void* place = address(step.inputs.size() + i);
      for (std::size_t k = 0; k < step.inputs.size(); ++k) {
        place = shared[i * step.inputs.size() + k] ? address(k) : place;
      }
      outputs.push_back({place, draft.spec(step.outputs[i]).dtype, code.result_registers[i]});
    }
    kernels::MapCall call;
    call.code = code.code.data();
    call.code_size = code.code.size();
    call.constants = program.constants.data();
    call.constant_count = program.constants.size();
    call.register_count = code.register_count;
    call.compute = step.formula.compute;
    call.inputs = inputs.data();
    call.input_count = inputs.size();
    call.outputs = outputs.data();
    call.output_count = outputs.size();
    call.shape = step.space;
    call.cost = code.cost;
    return kernels::PreparedMap(step.name.c_str(), call);
  }

  Operands in_;
  Operands out_;
  kernels::PreparedMap map_;
  std::int64_t row_ = 1;
  bool cut_ = false;
};

struct MapStep final : StepKind {
  std::int64_t rows(const Draft&, const Step& step) const override { return step.space.empty() ? 1 : step.space[0]; }
  bool reads_rows(const Draft& draft, const Step& step, std::size_t input) const override {
    const Shape& shape = draft.spec(step.inputs[input]).shape;
    return shape.ndim() == step.space.ndim() && !shape.empty() && shape[0] == step.space[0];
  }
  double cost(const Draft&, const Step& step) const override {
    return element_ns * static_cast<double>(step.space.element_count()) *
           (1 + static_cast<double>(step.formula.program.steps.size()));
  }
  Alone alone() const override { return Alone::when_large; }
  bool writes_whole(const Step&) const override { return true; }
  bool reads_before_writing(std::size_t) const override { return true; }

  std::unique_ptr<const Kernel> bind(const Draft& draft, const Step& step, Binding binding) const override {
    return std::make_unique<MapKernel>(draft, step, binding.shared, std::move(binding.in), std::move(binding.out));
  }

  std::optional<Fault> find_fault(const Draft& draft, const Step& step) const override {
    const Program& program = step.formula.program;
    if (program.input_count != step.inputs.size()) {
      return Fault{"a formula's inputs are not the step's", 0};
    }
    if (program.results.size() != step.outputs.size()) {
      return Fault{"a formula's results are not the step's outputs", 0};
    }
    for (const ValueId input : step.inputs) {
      if (!broadcasts_to(draft.spec(input).shape, step.space)) {
        return Fault{"a map's input does not fit its space", input};
      }
    }
    std::size_t known = program.first_step();
    for (const Program::Step& each : program.steps) {
      for (const std::uint32_t operand : detail::operands_of(each)) {
        if (operand >= known) {
          return Fault{"a formula uses a number that is not there yet", 0};
        }
      }
      ++known;
    }
    return std::nullopt;
  }
  std::string text(const Step& step) const override { return detail::to_string(step.formula.program); }
  double flops(const Draft&, const Step& step) const override {
    return static_cast<double>(step.space.element_count()) * static_cast<double>(step.formula.program.steps.size());
  }
};

constexpr MapStep map_kind;

}  // namespace

constinit const StepKind* const map_step = &map_kind;

}  // namespace xgrad::plan
