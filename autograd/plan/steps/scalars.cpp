#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "autograd/formula/code.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/plan/steps/step_kind.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/workers.hpp"

/// \file
/// Programs on single numbers: elements of small tensors are read, all is computed in registers, and elements of other small
/// tensors are written.

namespace xgrad::plan {

namespace {

/// An operand, and which of its elements go to or come from which registers.
struct Transfer {
  struct Pair {
    std::uint32_t index;
    std::uint32_t number;  ///< of the register
  };
  Operand operand;
  DType dtype;
  std::vector<Pair> pairs;
};

template <class T>
class ScalarsKernel final : public Kernel {
 public:
  ScalarsKernel(const Draft& draft, const Step& step, const Binding& binding)
      : constants_(step.formula.program.constants.begin(), step.formula.program.constants.end()) {
    detail::ScalarCode assembled = detail::assemble_scalars(step.formula.program);
    code_ = std::move(assembled.code);
    register_count_ = std::max<std::size_t>(assembled.register_count, 1);
    std::vector<std::uint32_t> inputs(step.elements.read.size());
    for (std::uint32_t i = 0; i < inputs.size(); ++i) {
      inputs[i] = i;
    }
    reads_ = transfers(draft, step.inputs, binding.in, step.elements.read, inputs);
    writes_ = transfers(draft, step.outputs, binding.out, step.elements.written, assembled.result_registers);
    first_constant_ = inputs.size();
  }

  // All is read before anything is written: an output may have the memory of an input.
  void run(const Block& block) const override {
    T* registers = static_cast<T*>(runtime::thread_scratch(register_count_ * sizeof(T)));
    for (const Transfer& read : reads_) {
      const std::byte* data = read.operand.at(block.bases, block.scratch, block.first);
      if (read.dtype == DType::boolean) {
        for (const auto [index, number] : read.pairs) {
          registers[number] = static_cast<T>(reinterpret_cast<const bool*>(data)[index]);
        }
      } else {
        for (const auto [index, number] : read.pairs) {
          registers[number] = reinterpret_cast<const T*>(data)[index];
        }
      }
    }
    std::copy(constants_.begin(), constants_.end(), registers + first_constant_);
    kernels::run_scalars(dtype_of<T>(), code_.data(), code_.size(), registers);
    for (const Transfer& write : writes_) {
      std::byte* data = write.operand.at(block.bases, block.scratch, block.first);
      if (write.dtype == DType::boolean) {
        for (const auto [index, number] : write.pairs) {
          reinterpret_cast<bool*>(data)[index] = registers[number] != 0;
        }
      } else {
        for (const auto [index, number] : write.pairs) {
          reinterpret_cast<T*>(data)[index] = registers[number];
        }
      }
    }
  }

 private:
  static std::vector<Transfer> transfers(const Draft& draft, const std::vector<ValueId>& ids, const Operands& operands,
                                         const std::vector<Element>& elements,
                                         const std::vector<std::uint32_t>& registers) {
    std::vector<Transfer> result;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      result.push_back({operands[i], draft.spec(ids[i]).dtype, {}});
    }
    for (std::size_t i = 0; i < elements.size(); ++i) {
      result[elements[i].operand].pairs.push_back({elements[i].index, registers[i]});
    }
    return result;
  }

  std::vector<Transfer> reads_;
  std::vector<Transfer> writes_;
  std::vector<T> constants_;
  std::size_t first_constant_ = 0;
  std::vector<kernels::ScalarInstruction> code_;
  std::size_t register_count_ = 0;
};

struct ScalarsStep final : StepKind {
  double cost(const Draft&, const Step& step) const override {
    constexpr double element_ns = 1.5;  // to read, compute or write one
    return element_ns * static_cast<double>(step.formula.program.steps.size() + step.elements.read.size() +
                                            step.elements.written.size());
  }
  bool writes_whole(const Step&) const override { return true; }
  bool reads_before_writing(std::size_t) const override { return true; }
  bool folds() const override { return false; }

  std::unique_ptr<const Kernel> bind(const Draft& draft, const Step& step, Binding binding) const override {
    return dispatch_floating(step.formula.compute, [&](auto zero) -> std::unique_ptr<const Kernel> {
      return std::make_unique<ScalarsKernel<decltype(zero)>>(draft, step, binding);
    });
  }

  std::optional<Fault> find_fault(const Draft& draft, const Step& step) const override {
    if (step.formula.program.input_count != step.elements.read.size() ||
        step.formula.program.results.size() != step.elements.written.size()) {
      return Fault{"a program's numbers are not the step's elements", 0};
    }
    for (const auto& [elements, ids] :
         {std::pair(&step.elements.read, &step.inputs), std::pair(&step.elements.written, &step.outputs)}) {
      for (const auto [operand, index] : *elements) {
        if (operand >= ids->size() || index >= draft.spec((*ids)[operand]).shape.element_count()) {
          return Fault{"an element does not exist", operand < ids->size() ? (*ids)[operand] : 0};
        }
      }
    }
    return std::nullopt;
  }
  std::string text(const Step& step) const override {
    return phrase("{} operations on single numbers, from {} to {}", step.formula.program.steps.size(),
                  step.elements.read.size(), step.elements.written.size());
  }
  double flops(const Draft&, const Step& step) const override {
    return static_cast<double>(step.formula.program.steps.size());
  }
};

constexpr ScalarsStep scalars_kind;

}  // namespace

constinit const StepKind* const scalars_step = &scalars_kind;

}  // namespace xgrad::plan
