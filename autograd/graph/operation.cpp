#include "autograd/graph/operation.hpp"

#include <utility>

#include "autograd/graph/effects.hpp"
#include "autograd/graph/name_scope.hpp"
#include "autograd/graph/subprogram.hpp"
#include "autograd/graph/visitors.hpp"
#include "autograd/runtime/pool.hpp"

namespace xgrad {

void add_reference(const AnyOperation* operation) {
  if (!operation->is_permanent()) {
    operation->retain();
  }
}
void drop_reference(const AnyOperation* operation) {
  if (!operation->is_permanent() && operation->release()) {
    delete operation;
  }
}

void* AnyOperation::operator new(std::size_t bytes) { return runtime::allocate(bytes); }
void AnyOperation::operator delete(void* operation, std::size_t bytes) { runtime::deallocate(operation, bytes); }

std::uint64_t AnyOperation::hash() const {
  std::uint64_t hash = hash_.load(std::memory_order_relaxed);
  if (hash == 0) {
    hash = detail::hash_of_attributes(*this) | 1;  // 0 says that it is not known yet
    hash_.store(hash, std::memory_order_relaxed);
  }
  return hash;
}

void detail::run_program(const SubProgram& program, ConstViews in, Views out) { run(program, in, out); }

bool same_operation(const AnyOperation& a, const AnyOperation& b) {
  return &a == &b || (a.traits().type == b.traits().type && a.hash() == b.hash() && detail::same_attributes(a, b));
}

Ref<const Node> detail::make_silent_node(Ref<const AnyOperation> operation, Inputs inputs,
                                         const std::source_location& otherwise, const Scope* scope) {
  const std::source_location where = SourceScope::current(otherwise);
  return located(where, [&] {
    const auto specs = operation->infer(inputs);
    return Ref<const Node>(new Node(std::move(operation), inputs, specs.span(), scope, where));
  });
}

Ref<const Node> make_node_of(Ref<const AnyOperation> operation, std::span<Tensor> inputs,
                             const std::source_location& otherwise) {
  const std::source_location where = SourceScope::current(otherwise);
  return located(where, [&] {
    const auto specs = operation->infer(inputs);
    return Ref<const Node>(new Node(std::move(operation), inputs, specs.span(), nullptr, where));
  });
}

Tensors apply_again(const Node& node, Inputs inputs) {
  const detail::LabelOf label(node);
  return make_node(node.operation_ref(), inputs, node.location())->outputs();
}

Ref<const Node> make_node(Ref<const AnyOperation> operation, Inputs inputs, const std::source_location& otherwise,
                          const detail::Scope* scope) {
  Ref<const Node> node = detail::make_silent_node(std::move(operation), inputs, otherwise, scope);
  if (!node->operation().effect().empty()) {
    detail::happen(node);
  }
  return node;
}

}  // namespace xgrad
