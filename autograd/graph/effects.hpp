#pragma once

#include <source_location>

#include "autograd/graph/node.hpp"
#include "autograd/graph/rules.hpp"
#include "autograd/graph/scope.hpp"

/// \file
/// Operations that do something to the world: they print, call back, talk to other processes.
///
/// What such a node does happens exactly once. Where its inputs have elements, that is when it is made. In a function that is
/// traced or mapped over samples, the node waits with the scope of the function: of a traced function it becomes a step of
/// the plan, which is never merged with another, left out, cut or done ahead, and which happens in program order with the
/// others of its kind; of a mapped one it is made again for all samples, and happens then. Not installed.

namespace xgrad::detail {

/// Lets the effect of a new node happen, now or later.
void happen(const Ref<const Node>& node);

/// While it lives, effects of new nodes of this thread do not happen: what is built is a program, and they happen when it
/// runs, if something that it gives comes from them.
class EffectsWait {
 public:
  EffectsWait();
  EffectsWait(const EffectsWait&) = delete;
  EffectsWait& operator=(const EffectsWait&) = delete;
  ~EffectsWait();

 private:
  bool before_;
};

/// A node whose effect is left to the caller.
Ref<const Node> make_silent_node(Ref<const AnyOperation> operation, Inputs inputs,
                                 const std::source_location& otherwise, const Scope* scope = nullptr);

}  // namespace xgrad::detail
