#include <algorithm>

#include "autograd/plan/passes/passes.hpp"

/// \file
/// c + a b becomes a product whose sums start from c.

namespace xgrad::plan {

namespace {

bool is_plain_sum(const Step& step) {
  return step.kind == map_step && step.formula.program.steps.size() == 1 &&
         step.formula.program.steps[0].code == kernels::Opcode::add && step.inputs.size() == 2 &&
         step.outputs.size() == 1;
}

// Who reads an alias reads the whole.
std::vector<std::uint32_t> count_all_uses(const Draft& draft) {
  std::vector<std::uint32_t> uses = count_uses(draft);
  for (auto id = static_cast<ValueId>(uses.size()); id-- > 0;) {
    if (const ValueId whole = draft.values[id].whole; whole != id) {
      uses[whole] += uses[id];
    }
  }
  return uses;
}

}  // namespace

void accumulate_products(Draft& draft) {
  const std::vector<std::uint32_t> producers = find_producers(draft);
  const std::vector<std::uint32_t> uses = count_all_uses(draft);
  std::vector<bool> gone(draft.steps.size());
  for (Step& sum : draft.steps) {
    if (!is_plain_sum(sum)) {
      continue;
    }
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
      const ValueId product = sum.inputs[i];
      const ValueId other = sum.inputs[1 - i];
      const std::uint32_t producer = producers[product];
      if (producer == Draft::none || uses[product] != 1 || draft.values[product].whole != product ||
          draft.spec(product) != draft.spec(other) || draft.spec(product) != draft.spec(sum.outputs[0]) ||
          gone[producer]) {
        continue;
      }
      Step& step = draft.steps[producer];
      if (step.kind == product_step && step.product.k_slabs * step.product.n_slabs == 1 && !step.product.accumulate &&
          producers[other] != producer) {
        gone[producer] = true;
        step.product.accumulate = true;
        step.inputs.push_back(other);
        step.outputs = std::move(sum.outputs);
        sum = std::move(step);
        break;
      }
    }
  }
  keep_steps(draft, [&](std::uint32_t i) { return !gone[i]; });
}

}  // namespace xgrad::plan
