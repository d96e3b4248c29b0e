#include "autograd/graph/effects.hpp"

#include "autograd/graph/variable_cell.hpp"

namespace xgrad::detail {

void happen(const Ref<const Node>& node) {
  const Scope* scope = node->scope() == nullptr ? nullptr : node->scope()->without_elements();
  // A function that is traced inside of the one that the operands belong to may run many times, or not at all.
  if (const Recorder* recorder = current_recorder();
      recorder != nullptr && (scope == nullptr || recorder->scope()->is_younger_than(*scope))) {
    scope = recorder->scope();
  }
  const Tensor effect(node);
  if (scope != nullptr) {
    scope->add_effect(effect);
  } else {
    evaluate({effect});
  }
}

}  // namespace xgrad::detail
