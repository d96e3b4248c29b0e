#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "autograd/array/fixed_vector.hpp"
#include "autograd/array/ref.hpp"
#include "autograd/graph/attributes.hpp"
#include "autograd/graph/node.hpp"
#include "autograd/graph/rules.hpp"
#include "autograd/graph/spec.hpp"

/// \file
/// Operations as nodes and plans hold them, without their types. operation.hpp says what makes a struct one.

namespace xgrad {

/// What all operations of one type have in common.
struct OperationTraits {
  std::string_view key;            ///< the name of the type's operations
  const void* type;                ///< identifies the type
  bool alias = false;              ///< output 0 shares the elements of input 0
  bool linear = false;             ///< it is its own jvp, unless it has a rule
  bool maps_leading_axes = false;  ///< it is its own vmap, unless it has a rule
  bool stops_gradient = false;     ///< the derivative is zero everywhere
  bool skips_outputs = false;      ///< computes the wanted outputs alone
  bool has_vjp = false;            ///< there is a vjp rule
  bool has_jvp = false;            ///< there is a jvp rule
  bool has_vmap = false;           ///< there is a vmap rule
  bool has_sum = false;            ///< several results can be added up in one node

  bool can_jvp() const { return has_jvp || linear; }               ///< whether forward mode can go through it
  bool can_vmap() const { return has_vmap || maps_leading_axes; }  ///< whether it can be applied to many samples
};

/// An operation of any type, as nodes and plans hold it: immutable, shared.
class AnyOperation : public RefCounted {
 public:
  virtual ~AnyOperation() = default;

  const OperationTraits& traits() const { return traits_; }  ///< what its type says
  std::string_view key() const { return traits_.key; }       ///< the name of all operations of its type
  virtual std::string_view title() const = 0;                ///< what graphs and messages call it
  /// Shows all attributes, in the order of the table.
  virtual void visit_attributes(AttributeVisitor& visitor) const = 0;
  /// Equal for equal operations, the same in every process and on every machine.
  std::uint64_t hash() const;
  /// The operation, when it is an \p Op; else null.
  template <class Op>
  const Op* as() const;

  virtual detail::FixedVector<Spec, 1> infer(Inputs inputs) const = 0;  ///< what the outputs look like
  virtual void eval(ConstViews in, Views out) const = 0;                ///< computes the elements of the outputs
  /// What the rules give; undefined tensors where there is no rule.
  virtual Tensors vjp(const Node& node, const Cotangents& ct) const = 0;      ///< per input, undefined where 0
  virtual Tensors jvp(const Node& node, const Tangents& t) const = 0;         ///< per output, undefined where 0
  virtual Tensors vmap(const Node& node, const BatchedInputs& in) const = 0;  ///< per output, samples on axis 0
  virtual Tensor sum(std::span<const Tensor> terms) const = 0;                ///< of results of this type
  virtual const SubProgram* program() const = 0;                              ///< what it runs, or null
  virtual bool is_total(Inputs inputs) const = 0;                             ///< computing it never throws
  virtual std::string_view effect() const = 0;                                ///< what kind it has; empty: none
  virtual std::size_t shown_outputs(std::size_t count) const = 0;             ///< of \p count, those for everyone
  virtual bool is_cheap() const = 0;  ///< as fast as reading the result from memory
  /// The same without its effect, where that can be told apart from what it computes; else null.
  virtual Ref<const AnyOperation> without_effect() const = 0;
  /// Whether row i of every output, along axis 0, depends on row i of every input alone.
  virtual bool splits_rows(Inputs inputs) const = 0;

  /// Never destroys it: handles are not counted any more, which would let threads wait for each other. To be called before
  /// others share it.
  void keep_for_ever() { permanent_ = true; }
  bool is_permanent() const { return permanent_; }  ///< whether handles are not counted

  static void* operator new(std::size_t bytes);                     ///< from the pool
  static void operator delete(void* operation, std::size_t bytes);  ///< back to the pool

 protected:
  /// \param traits of its type; they live for ever.
  explicit AnyOperation(const OperationTraits& traits) : traits_(traits) {}

 private:
  const OperationTraits& traits_;
  mutable std::atomic<std::uint64_t> hash_{0};
  bool permanent_ = false;
};

/// Whether both are of one type and have equal attributes, so that on equal inputs they give equal outputs. False where
/// attributes cannot be compared.
bool same_operation(const AnyOperation& a, const AnyOperation& b);

/// `axis=1, keepdims=true`
std::string attributes_text(const AnyOperation& operation);

}  // namespace xgrad
