#include "autograd/plan/passes/scalar_costs.hpp"

#include <algorithm>
#include <utility>

#include "autograd/formula/primitives.hpp"
#include "autograd/ops/broadcast.hpp"
#include "autograd/ops/selection.hpp"
#include "autograd/ops/sum.hpp"
#include "autograd/plan/steps/step_kind.hpp"

namespace xgrad::plan {

namespace {

constexpr double kernel_ns = 21;    // of a kernel
constexpr double crossing_ns = 12;  // for a kernel to read what another one wrote
constexpr double again_ns = 8;      // for each reader after the first one, which may be part of another kernel
constexpr double vector_ns = 3;     // of an instruction of a kernel on a vector or two
constexpr double number_ns = 1.2;   // of an instruction on one number, or of reading it
constexpr double function_ns = 10;  // of a function, on one number or on a vector
constexpr int function_cost = 12;   // from which on a primitive of the table is one
constexpr std::size_t joined = 96;  // primitives that fusion puts into one kernel

}  // namespace

void ScalarCosts::add(const Draft& draft, const Step& step) {
  if (step.kind == map_step) {
    return add_map(draft, step);
  }
  const bool adds = step.operation->as<Sum>() != nullptr || step.operation->as<Unslice>() != nullptr;
  numbers_ns_ += adds ? number_ns * moved_elements(draft, step) : 0;
  kernels_ns_ += step.operation->as<BroadcastTo>() != nullptr ? 0 : kernel_ns;  // kernels read through broadcasts
}

void ScalarCosts::add_map(const Draft& draft, const Step& step) {
  const std::uint32_t space = number_of(step.space);
  const auto elements = static_cast<double>(step.space.element_count());
  for (const Program::Step& each : step.formula.program.steps) {
    const bool function = detail::primitive(each.code).cost >= function_cost;
    numbers_ns_ += elements * (function ? function_ns : number_ns);
    kernels_ns_ += function ? function_ns : vector_ns;
  }
  spaces_[space].second += step.formula.program.steps.size();
  for (const ValueId input : step.inputs) {
    if (draft.constant(input) == nullptr) {
      add_read(draft, input, space);
    }
  }
  for (const ValueId output : step.outputs) {
    computed_.emplace(output, Computed{space, false});
  }
}

// What is read once, over the space that it is computed over, stays in the registers of one kernel.
void ScalarCosts::add_read(const Draft& draft, ValueId input, std::uint32_t space) {
  const ValueId memory = draft.values[input].memory;
  const auto found = computed_.find(memory);
  const bool known = found != computed_.end();
  if (known && found->second.space == space) {
    kernels_ns_ += std::exchange(found->second.read, true) ? again_ns : 0;
  } else if (crossings_.insert(std::uint64_t{memory} << 32 | space).second) {
    kernels_ns_ += crossing_ns;
    numbers_ns_ += known ? 0 : number_ns * static_cast<double>(draft.spec(input).shape.element_count());
  }
}

std::uint32_t ScalarCosts::number_of(const Shape& space) {
  const auto found =
      std::find_if(spaces_.begin(), spaces_.end(), [&](const auto& known) { return known.first == space; });
  if (found == spaces_.end()) {
    spaces_.emplace_back(space, 0);
    return static_cast<std::uint32_t>(spaces_.size() - 1);
  }
  return static_cast<std::uint32_t>(found - spaces_.begin());
}

bool ScalarCosts::pay() const {
  double kernels_ns = kernels_ns_;
  for (const auto& [space, primitives] : spaces_) {
    kernels_ns += kernel_ns * static_cast<double>((primitives + joined - 1) / joined);
  }
  return numbers_ns_ < kernels_ns;
}

}  // namespace xgrad::plan
