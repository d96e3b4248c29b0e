#include <utility>
#include <vector>

#include "autograd/plan/run/executable.hpp"
#include "autograd/plan/steps/step_kind.hpp"

/// \file
/// From steps to kernels, and from values to places in memory.

namespace xgrad::plan {

namespace {

class Binder {
 public:
  Binder(const Draft& draft, const MemoryPlan& memory) : draft_(draft), memory_(memory), numbers_(draft, memory) {}

  std::unique_ptr<const Kernel> bind(std::uint32_t number) const {
    const Step& step = draft_.steps[number];
    return step.kind->bind(draft_, step, {operands(step.inputs), operands(step.outputs), shared_memory(step)});
  }

 private:
  Operands operands(const std::vector<ValueId>& ids) const {
    Operands result;
    for (const ValueId id : ids) {
      const Value& value = draft_.values[id];
      const Place& place = memory_.places[value.memory];
      Operand operand{0, place.offset + value.offset, place.row_bytes, place.room == Place::Room::scratch};
      switch (place.room) {
        case Place::Room::argument: operand.base = place.number; break;
        case Place::Room::constant: operand.base = numbers_.constants + place.number; break;
        case Place::Room::output: operand.base = numbers_.outputs + place.number; break;
        case Place::Room::arena:
        case Place::Room::scratch: operand.base = numbers_.arena; break;
        case Place::Room::none: operand.base = numbers_.nothing; break;
      }
      result.push_back(operand);
    }
    return result;
  }

  // Per output and input: whether a run may give them the same memory, when a variable is overwritten.
  std::vector<bool> shared_memory(const Step& step) const {
    std::vector<bool> shared;
    for (const ValueId output : step.outputs) {
      const Place& place = memory_.places[output];
      const std::uint32_t replaced =
          place.room == Place::Room::output ? memory_.outputs[place.number].replaces : Draft::none;
      for (const ValueId input : step.inputs) {
        const Place& source = memory_.places[draft_.values[input].memory];
        shared.push_back(replaced != Draft::none && source.room == Place::Room::argument && source.number == replaced);
      }
    }
    return shared;
  }

  const Draft& draft_;
  const MemoryPlan& memory_;
  BaseNumbers numbers_;
};

}  // namespace

std::unique_ptr<const Kernel> bind_kernel(const Draft& draft, const MemoryPlan& memory, std::uint32_t step) {
  return Binder(draft, memory).bind(step);
}

}  // namespace xgrad::plan
