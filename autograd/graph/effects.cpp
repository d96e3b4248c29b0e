#include "autograd/graph/effects.hpp"

#include <utility>

#include "autograd/graph/variable_cell.hpp"

namespace xgrad::detail {

namespace {

thread_local bool effects_wait = false;

}  // namespace

EffectsWait::EffectsWait() : before_(std::exchange(effects_wait, true)) {}
EffectsWait::~EffectsWait() { effects_wait = before_; }

void happen(const Ref<const Node>& node) {
  if (effects_wait) {
    return;
  }
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
