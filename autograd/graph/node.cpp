#include "autograd/graph/node.hpp"

#include <cstdint>
#include <utility>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/pool.hpp"

namespace xgrad {

namespace {

std::atomic<std::uint64_t> next_sequence{0};

}  // namespace

std::string to_string(const Spec& spec) { return phrase("{}{}", to_string(spec.dtype), to_string(spec.shape)); }

template <class MakeInput>
Node::Node(Ref<const AnyOperation> operation, std::size_t input_count, const MakeInput& make_input,
           std::span<const Spec> outputs, const detail::Scope* scope, const std::source_location& where)
    : label_(detail::current_label()),
      operation_(std::move(operation)),
      inputs_(input_count, make_input),
      outputs_(outputs.size(), [&](std::size_t i) { return Output(outputs[i]); }),
      scope_(detail::youngest_open_scope(inputs_.span(), scope)),
      sequence_(next_sequence.fetch_add(1, std::memory_order_relaxed)),
      location_(where) {
  for (const Output& output : outputs_.span()) {
    static_cast<void>(byte_count(output.spec.shape, size_of(output.spec.dtype)));  // throws when there are too many
  }
}

Node::Node(Ref<const AnyOperation> operation, Inputs inputs, std::span<const Spec> outputs, const detail::Scope* scope,
           const std::source_location& where)
    : Node(
          std::move(operation), inputs.size(), [&](std::size_t i) { return inputs[i]; }, outputs, scope, where) {}

Node::Node(Ref<const AnyOperation> operation, std::span<Tensor> inputs, std::span<const Spec> outputs,
           const detail::Scope* scope, const std::source_location& where)
    : Node(
          std::move(operation), inputs.size(), [&](std::size_t i) { return std::move(inputs[i]); }, outputs, scope,
          where) {}

Node::Output::~Output() {
  if (const Buffer* kept = buffer.load(std::memory_order_acquire)) {
    drop_reference(kept);
  }
}

void* Node::operator new(std::size_t bytes) { return runtime::allocate(bytes); }
void Node::operator delete(void* node, std::size_t bytes) { runtime::deallocate(node, bytes); }

std::string_view Node::name() const { return operation_->title(); }

Tensors Node::outputs() const {
  Tensors outputs;
  outputs.reserve(output_count());
  for (std::size_t i = 0; i < output_count(); ++i) {
    outputs.push_back(output(i));
  }
  return outputs;
}

Array Node::value(std::size_t output) const {
  const Output& out = outputs_[output];
  Buffer* kept = out.buffer.load(std::memory_order_acquire);
  return kept == nullptr ? Array() : Array(Ref<Buffer>(kept), out.spec.shape, out.spec.dtype);
}

void Node::keep_value(std::size_t output, const Array& value) const {
  Ref<Buffer> buffer = value.buffer();
  Buffer* expected = nullptr;
  if (outputs_[output].buffer.compare_exchange_strong(expected, buffer.get(), std::memory_order_acq_rel)) {
    buffer.detach();
  }
}

std::uint64_t Node::next() { return next_sequence.load(std::memory_order_relaxed); }

void add_reference(const Node* node) { node->retain(); }

// Destroys a node and every node that only it kept alive: a list, because recursion would follow chains of any length. It is
// linked through the sequence numbers, which nobody asks for any more: memory may have run out.
void drop_reference(const Node* node) {
  static_assert(sizeof(Node::sequence_) >= sizeof(Node*));
  if (!node->release()) {
    return;
  }
  auto* first = const_cast<Node*>(node);
  first->sequence_ = 0;
  while (first != nullptr) {
    Node* const last = first;
    first = reinterpret_cast<Node*>(static_cast<std::uintptr_t>(last->sequence_));
    for (Tensor& input : last->inputs_.span()) {
      if (const Node* source = input.release(); source != nullptr && source->release()) {
        auto* unreachable = const_cast<Node*>(source);
        unreachable->sequence_ = reinterpret_cast<std::uintptr_t>(first);
        first = unreachable;
      }
    }
    delete last;
  }
}

}  // namespace xgrad
