#include "autograd/graph/operation.hpp"

#include <functional>

#include <fmt/format.h>

#include "autograd/runtime/pool.hpp"

namespace xgrad {

Node::Node(Inputs inputs, std::span<const Spec> outputs, const void* kind, const std::source_location& where)
    : inputs_(inputs.size(), [&](std::size_t i) { return inputs[i]; }),
      outputs_(outputs.size(), [&](std::size_t i) { return Output(outputs[i]); }),
      kind_(kind),
      location_(where) {
  for (const Output& output : outputs_.span()) {
    static_cast<void>(output.spec.shape.element_count());  // throws when there are too many to be counted
  }
}

Node::Output::~Output() {
  if (const Buffer* kept = buffer.load(std::memory_order_acquire)) {
    drop_reference(kept);
  }
}

void* Node::operator new(std::size_t bytes) { return runtime::allocate(bytes); }
void Node::operator delete(void* node, std::size_t bytes) { runtime::deallocate(node, bytes); }

detail::FixedVector<Spec, 1> Node::specs() const {
  return {outputs_.size(), [this](std::size_t i) -> const Spec& { return outputs_[i].spec; }};
}

Array Node::value(std::size_t output) const {
  const Output& out = outputs_[output];
  Buffer* kept = out.buffer.load(std::memory_order_acquire);
  return kept == nullptr ? Array() : Array(Ref<Buffer>(kept), out.spec.shape, out.spec.dtype);
}

std::uint64_t Node::next_sequence() {
  static std::atomic<std::uint64_t> next{0};
  return next.fetch_add(1, std::memory_order_relaxed);
}

void Node::keep_value(std::size_t output, const Array& value) const {
  Ref<Buffer> buffer = value.buffer();
  Buffer* expected = nullptr;
  if (outputs_[output].buffer.compare_exchange_strong(expected, buffer.get(), std::memory_order_acq_rel)) {
    buffer.detach();
  }
}

void add_reference(const Node* node) { node->retain(); }

// Destroys a node and every node that only it kept alive: a list, because recursion would follow chains of any length.
void drop_reference(const Node* node) {
  if (!node->release()) {
    return;
  }
  std::vector<const Node*> unreachable;
  while (node != nullptr) {
    for (Tensor& input : const_cast<Node*>(node)->inputs_.span()) {
      if (const Node* source = input.release(); source != nullptr && source->release()) {
        unreachable.push_back(source);
      }
    }
    delete node;
    node = nullptr;
    if (!unreachable.empty()) {
      node = unreachable.back();
      unreachable.pop_back();
    }
  }
}

std::string to_string(const Spec& spec) { return fmt::format("{}{}", to_string(spec.dtype), to_string(spec.shape)); }

namespace detail {

std::size_t combine_hashes(std::size_t a, std::size_t b) {
  return (a ^ (b + 0x9E3779B97F4A7C15u)) * 0xFF51AFD7ED558CCDu;
}
std::size_t hash_text(std::string_view text) { return std::hash<std::string_view>()(text); }

std::string attribute_text(bool value) { return value ? "true" : "false"; }
std::string attribute_text(double value) { return fmt::format("{}", value); }
std::string attribute_text(DType value) { return std::string(to_string(value)); }
std::string attribute_text(const Shape& value) { return to_string(value); }
std::string attribute_text(const std::string& value) { return value; }
std::string attribute_text(const Formula& value) { return to_string(value); }

}  // namespace detail

}  // namespace xgrad
