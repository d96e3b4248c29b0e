#include <cstdint>
#include <utility>
#include <vector>

#include "autograd/formula/code.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/plan/steps/step_kernels.hpp"

/// \file
/// Elementwise steps.

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

}  // namespace

std::unique_ptr<const Kernel> make_map_kernel(const Draft& draft, const Step& step, const std::vector<bool>& shared,
                                              Operands in, Operands out) {
  return std::make_unique<MapKernel>(draft, step, shared, std::move(in), std::move(out));
}

}  // namespace xgrad::plan
