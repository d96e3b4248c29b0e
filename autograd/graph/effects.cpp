#include "autograd/graph/effects.hpp"

#include "autograd/graph/variable_cell.hpp"

namespace xgrad::detail {

void happen(const Ref<const Node>& node) {
  const Scope* scope = node->scope() == nullptr ? nullptr : node->scope()->without_elements();
  if (scope == nullptr && current_recorder() != nullptr) {
    scope = current_recorder()->scope();
  }
  const Tensor effect(node);
  if (scope != nullptr) {
    scope->add_effect(effect);
  } else {
    evaluate({effect});
  }
}

}  // namespace xgrad::detail
