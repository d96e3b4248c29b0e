#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <source_location>
#include <span>
#include <string_view>

#include "autograd/array/array.hpp"
#include "autograd/array/fixed_vector.hpp"
#include "autograd/array/ref.hpp"
#include "autograd/graph/name_scope.hpp"
#include "autograd/graph/rules.hpp"
#include "autograd/graph/scope.hpp"
#include "autograd/graph/spec.hpp"
#include "autograd/graph/tensor.hpp"

/// \file
/// Node: an operation, what it is applied to, and what it gives.

namespace xgrad {

class AnyOperation;

/// For Ref<const AnyOperation>: one more handle.
void add_reference(const AnyOperation* operation);
/// For Ref<const AnyOperation>: one handle less; the last one destroys the operation.
void drop_reference(const AnyOperation* operation);

/// An operation applied to its inputs. Nodes are immutable, except that the elements of an output, once computed, may
/// be kept; they are reached through Tensor handles and live as long as a handle or another node needs them.
class Node final : public RefCounted {
 public:
  /// \param outputs what \p operation infers from \p inputs.
  /// \param scope that it belongs to beside those of its inputs, or null.
  Node(Ref<const AnyOperation> operation, Inputs inputs, std::span<const Spec> outputs, const detail::Scope* scope,
       const std::source_location& where);
  /// The same, of inputs that it takes over.
  Node(Ref<const AnyOperation> operation, std::span<Tensor> inputs, std::span<const Spec> outputs,
       const detail::Scope* scope, const std::source_location& where);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const AnyOperation& operation() const { return *operation_; }                ///< what is applied
  const Ref<const AnyOperation>& operation_ref() const { return operation_; }  ///< what is applied, to be shared
  /// The operation, when it is an \p Op; else null.
  template <class Op>
  const Op* as() const;
  std::string_view name() const;  ///< what printed graphs call the operation

  Inputs inputs() const { return inputs_.span(); }                                 ///< what it is applied to
  const Tensor& input(std::size_t i) const { return inputs_[i]; }                  ///< one of the inputs
  std::size_t output_count() const { return outputs_.size(); }                     ///< how many tensors it gives
  const Spec& spec(std::size_t output) const { return outputs_[output].spec; }     ///< of one output
  Tensor output(std::size_t i) const { return Tensor(Ref<const Node>(this), i); }  ///< a handle to one output
  Tensors outputs() const;                                                         ///< handles to all outputs
  /// Where the user's source made it; line 0 when unknown.
  const std::source_location& location() const { return location_; }
  /// Which part of a network it belongs to, and what it does there; for pictures alone.
  detail::LabelId label() const { return label_; }
  /// The youngest function, being traced or transformed, that it belongs to; null when there is none.
  const detail::Scope* scope() const { return scope_.get(); }
  /// Grows with every node that is made: a node is younger than everything it depends on.
  std::uint64_t sequence() const { return sequence_; }
  /// The sequence number of the next node, of whatever thread.
  static std::uint64_t next();

  /// The elements of an output, or an empty array when they are not known.
  Array value(std::size_t output) const;
  /// Whether the elements of an output are known.
  bool has_value(std::size_t output) const {
    return outputs_[output].buffer.load(std::memory_order_acquire) != nullptr;
  }
  /// Keeps the elements of an output; of several threads that try, the first wins.
  void keep_value(std::size_t output, const Array& value) const;

  static void* operator new(std::size_t bytes);                ///< from the pool
  static void operator delete(void* node, std::size_t bytes);  ///< back to the pool

 private:
  struct Output {
    Spec spec;
    mutable std::atomic<Buffer*> buffer = nullptr;

    explicit Output(const Spec& s) : spec(s) {}
    Output(Output&& other) noexcept : spec(other.spec) {}
    ~Output();
  };

  template <class MakeInput>
  Node(Ref<const AnyOperation> operation, std::size_t input_count, const MakeInput& make_input,
       std::span<const Spec> outputs, const detail::Scope* scope, const std::source_location& where);

  friend void drop_reference(const Node* node);

  detail::LabelId label_;  // first, beside the count of references
  Ref<const AnyOperation> operation_;
  detail::FixedVector<Tensor, 3> inputs_;
  detail::FixedVector<Output, 1> outputs_;
  Ref<const detail::Scope> scope_;
  std::uint64_t sequence_;
  std::source_location location_;
};

}  // namespace xgrad
