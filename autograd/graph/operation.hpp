#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "autograd/array/fixed_vector.hpp"
#include "autograd/graph/any_operation.hpp"
#include "autograd/graph/attributes.hpp"
#include "autograd/graph/node.hpp"
#include "autograd/graph/rules.hpp"
#include "autograd/graph/spec.hpp"
#include "autograd/runtime/error.hpp"

/// \file
/// What an operation is, and how any struct that is one becomes a node of the graph.

namespace xgrad {

/// A plain struct is an operation when it has a name, says what its outputs look like, and can compute them:
///
///     struct Softsign {
///       static constexpr std::string_view name = "softsign";
///       Spec infer(Inputs in) const;                            // or Specs, when it has several outputs
///       void eval(ConstViews in, Views out) const;
///       Tensors vjp(const Node& node, const Cotangents& ct) const;   // one tensor per input
///     };
///
/// Optional parts:
/// - `Tensors vjp(const Node&, const Cotangents&) const`, for reverse mode;
/// - `Tensors jvp(const Node&, const Tangents&) const`, one tensor per output, for forward mode; or the constant
///   `linear`, true when the op is linear in its floating inputs together, so that it is its own jvp;
/// - `Tensors vmap(const Node&, const BatchedInputs&) const`, the outputs for many samples at once, samples on axis 0;
///   or the constant `maps_leading_axes`, true when the op treats leading axes as samples by itself;
/// - `stops_gradient`, a constant, true when the derivative is zero everywhere;
/// - `alias`, a constant, true when the output is the first input's elements in another shape: it has no `eval`;
/// - `attributes`, a fields(...) table of all its members, for printing, comparing and whatever else visits attributes;
///   `title()`, a name that depends on them and says it all. A member of a type of your own has a table of its own, or,
///   beside its type, an `attribute_value` that turns it into a type that visitors know, or an `attribute_text` and an
///   `operator==`. An operation with members that has no `operator==`, and no such table or a constructor or private
///   members, equals nothing but itself: plans that contain it are not shared.
/// - `total`, a constant, true when `eval` never throws: a plan may call it after it has begun to write variables;
/// - `bool splits_rows(Inputs in) const`, or a constant, true when row i of the output, along axis 0, depends on row i of
///   every input alone: a plan may then compute it in blocks of rows;
/// - `skips_outputs`, a constant, true when `eval` leaves outputs out whose memory is null: nobody wants those;
/// - `Tensor sum(std::span<const Tensor> terms) const`, the sum of first outputs of operations of this type, whatever their
///   attributes: the chain rule adds cotangents by it where one node can do with less than the sum of many;
/// - `const SubProgram& program() const`, for an operation that runs another function on all of its inputs, and gives what that
///   gives: it needs no `eval`, plans make it part of themselves;
/// - `effect`, a constant `std::string_view`, for an operation that does something to the world, such as printing: effects of
///   one name happen in program order, on the calling thread, exactly once. With `alias` it gives its first
///   input on, and `eval` is called all the same. Or a function of that name, where it depends on attributes: empty for none,
///   perhaps with `Op without_effect() const`, what it computes when it is computed again;
/// - `std::size_t shown_outputs() const`, how many outputs, the first ones, are there for everyone: the others are computed
///   for derivatives that read them, and neither kept nor printed otherwise; with `skips_outputs`;
/// - `cheap`, a constant, or `bool cheap() const`: computing it takes no longer than reading its result from memory.
template <class Op>
concept Operation = std::copy_constructible<Op> &&
                    requires(const Op& op, Inputs in) {
                      { Op::name } -> std::convertible_to<std::string_view>;
                      op.infer(in);
                    } &&
                    (
                        requires { requires Op::alias; } || requires(const Op& op) { op.program(); } ||
                        requires(const Op& op, ConstViews in, Views out) { op.eval(in, out); });

namespace detail {

/// That \p Op is an Operation; else the first error says what it lacks.
template <class Op>
constexpr bool require_operation() {
  static_assert(
      requires {
        { Op::name } -> std::convertible_to<std::string_view>;
      }, "an op needs a name: `static constexpr std::string_view name = \"...\";`");
  static_assert(
      requires(const Op& op, Inputs in) { op.infer(in); },
      "an op needs infer: `Spec infer(Inputs in) const { return {shape, dtype}; }`, which tells shape and dtype of "
      "the result, or throws");
  static_assert(
      requires { requires Op::alias; } || requires(const Op& op) { op.program(); } ||
          requires(const Op& op, ConstViews in, Views out) { op.eval(in, out); },
      "an op needs eval: `void eval(ConstViews in, Views out) const`, which computes the elements of out");
  static_assert(std::copy_constructible<Op>, "an op needs to be copyable: it is kept with the node");
  return Operation<Op>;
}

}  // namespace detail

/// Calls \p f; errors that it throws get the user's place in the source.
template <class F>
decltype(auto) located(const std::source_location& otherwise, F&& f) {
  try {
    return f();
  } catch (Error& error) {
    error.locate(SourceScope::current(otherwise));
    throw;
  }
}

namespace detail {

// Constants that an operation may leave out.
template <class Op>
constexpr OperationTraits traits_of() {
  OperationTraits traits{Op::name, &type_tag<Op>};
  if constexpr (requires { Op::alias; }) {
    traits.alias = Op::alias;
  }
  if constexpr (requires { Op::linear; }) {
    traits.linear = Op::linear;
  }
  if constexpr (requires { Op::maps_leading_axes; }) {
    traits.maps_leading_axes = Op::maps_leading_axes;
  }
  if constexpr (requires { Op::stops_gradient; }) {
    traits.stops_gradient = Op::stops_gradient;
  }
  if constexpr (requires { Op::skips_outputs; }) {
    traits.skips_outputs = Op::skips_outputs;
  }
  traits.has_vjp = requires(const Op& op, const Node& node, const Cotangents& ct) { op.vjp(node, ct); };
  traits.has_jvp = requires(const Op& op, const Node& node, const Tangents& t) { op.jvp(node, t); };
  traits.has_vmap = requires(const Op& op, const Node& node, const BatchedInputs& in) { op.vmap(node, in); };
  traits.has_sum = requires(const Op& op, std::span<const Tensor> terms) { op.sum(terms); };
  return traits;
}

template <class Op>
inline constexpr OperationTraits operation_traits = traits_of<Op>();

/// Computes the outputs of \p program: what run does.
void run_program(const SubProgram& program, ConstViews in, Views out);

/// An operation of type \p Op.
template <class Op>
class OperationOf final : public AnyOperation {
 public:
  explicit OperationOf(Op op) : AnyOperation(operation_traits<Op>), op_(std::move(op)) {}

  const Op& op() const { return op_; }

  std::string_view title() const override {
    if constexpr (requires { op_.title(); }) {
      return op_.title();
    } else {
      return Op::name;
    }
  }
  void visit_attributes(AttributeVisitor& visitor) const override { visit_object(visitor, op_); }

  FixedVector<Spec, 1> infer(Inputs inputs) const override {
    using Result = std::remove_cvref_t<decltype(op_.infer(inputs))>;
    if constexpr (std::same_as<Result, Spec>) {
      return FixedVector<Spec, 1>(1, [&](std::size_t) { return op_.infer(inputs); });
    } else if constexpr (std::same_as<Result, FixedVector<Spec, 1>>) {
      return op_.infer(inputs);
    } else {
      const auto specs = op_.infer(inputs);
      return FixedVector<Spec, 1>(specs.size(), [&](std::size_t i) { return specs[i]; });
    }
  }
  void eval([[maybe_unused]] ConstViews in, [[maybe_unused]] Views out) const override {
    if constexpr (requires { op_.eval(in, out); }) {
      op_.eval(in, out);
    } else if constexpr (requires { op_.program(); }) {
      run_program(op_.program(), in, out);
    }
  }

  Tensors vjp(const Node& node, [[maybe_unused]] const Cotangents& ct) const override {
    if constexpr (requires { op_.vjp(node, ct); }) {
      return op_.vjp(node, ct);
    } else {
      return Tensors(node.inputs().size());
    }
  }
  Tensors jvp(const Node& node, [[maybe_unused]] const Tangents& t) const override {
    if constexpr (requires { op_.jvp(node, t); }) {
      return op_.jvp(node, t);
    } else {
      return Tensors(node.output_count());
    }
  }
  Tensors vmap(const Node& node, [[maybe_unused]] const BatchedInputs& in) const override {
    if constexpr (requires { op_.vmap(node, in); }) {
      return op_.vmap(node, in);
    } else {
      return Tensors(node.output_count());
    }
  }

  Tensor sum([[maybe_unused]] std::span<const Tensor> terms) const override {
    if constexpr (requires { op_.sum(terms); }) {
      return op_.sum(terms);
    } else {
      return Tensor();
    }
  }

  const SubProgram* program() const override {
    if constexpr (requires { op_.program(); }) {
      return &op_.program();
    } else {
      return nullptr;
    }
  }

  bool is_total([[maybe_unused]] Inputs inputs) const override {
    if constexpr (requires { op_.total(inputs); }) {
      return op_.total(inputs);
    } else if constexpr (requires { Op::total; }) {
      return Op::total;
    } else {
      return traits().alias;
    }
  }
  std::string_view effect() const override {
    if constexpr (requires { op_.effect(); }) {
      return op_.effect();
    } else if constexpr (requires { Op::effect; }) {
      return Op::effect;
    } else {
      return {};
    }
  }
  std::size_t shown_outputs(std::size_t count) const override {
    if constexpr (requires { op_.shown_outputs(); }) {
      return op_.shown_outputs();
    } else {
      return count;
    }
  }
  Ref<const AnyOperation> without_effect() const override;
  bool is_cheap() const override {
    if constexpr (requires { op_.cheap(); }) {
      return op_.cheap();
    } else if constexpr (requires { Op::cheap; }) {
      return Op::cheap;
    } else {
      return traits().alias;
    }
  }
  bool splits_rows([[maybe_unused]] Inputs inputs) const override {
    if constexpr (requires { op_.splits_rows(inputs); }) {
      return op_.splits_rows(inputs);
    } else if constexpr (requires { Op::splits_rows; }) {
      return Op::splits_rows;
    } else {
      return false;
    }
  }

 private:
  Op op_;
};

/// \p op as an object that is never destroyed.
template <class Op>
const AnyOperation* make_permanent_operation(Op op) {
  auto* operation = new OperationOf<Op>(std::move(op));
  operation->keep_for_ever();
  return operation;
}

/// \p op as an object; one for all uses where the type has no members.
template <class Op>
Ref<const AnyOperation> make_operation(Op op) {
  if constexpr (std::is_empty_v<Op>) {
    static const AnyOperation* const only = make_permanent_operation(std::move(op));
    return Ref<const AnyOperation>(only);
  } else {
    return Ref<const AnyOperation>(new OperationOf<Op>(std::move(op)));
  }
}

}  // namespace detail

template <class Op>
Ref<const AnyOperation> detail::OperationOf<Op>::without_effect() const {
  if constexpr (requires { op_.without_effect(); }) {
    return make_operation(op_.without_effect());
  } else {
    return {};
  }
}

template <class Op>
const Op* AnyOperation::as() const {
  return traits_.type == &detail::type_tag<Op> ? &static_cast<const detail::OperationOf<Op>*>(this)->op() : nullptr;
}
template <class Op>
const Op* Node::as() const {
  return operation_->as<Op>();
}

/// \p operation applied to \p inputs. Where the operation has an effect, it happens: now, or, in a function that is traced or
/// mapped over samples, when the elements are there.
/// \throws Error what the operation's `infer` throws, with the user's place in the source added.
/// \param scope that the node belongs to beside those of its inputs, or null.
Ref<const Node> make_node(Ref<const AnyOperation> operation, Inputs inputs, const std::source_location& where,
                          const detail::Scope* scope = nullptr);

/// The same, of inputs that the node takes over, for an operation without an effect.
Ref<const Node> make_node_of(Ref<const AnyOperation> operation, std::span<Tensor> inputs,
                             const std::source_location& where);

/// The outputs of the operation of \p node on other inputs. An effect happens anew.
Tensors apply_again(const Node& node, Inputs inputs);

/// The (first) output of \p op on \p inputs, as a new node.
/// \throws Error what the operation's `infer` throws, with the user's place in the source added.
template <class Op>
Tensor apply_op(Op op, Inputs inputs, std::source_location where = std::source_location::current()) {
  if constexpr (detail::require_operation<Op>()) {
    return Tensor(make_node(detail::make_operation(std::move(op)), inputs, where));
  }
}
/// The same, for inputs written as a list.
template <class Op>
Tensor apply_op(Op op, std::initializer_list<Tensor> inputs,
                std::source_location where = std::source_location::current()) {
  return apply_op(std::move(op), Inputs(inputs.begin(), inputs.size()), where);
}

/// All outputs of \p op on \p inputs, as a new node.
template <class Op>
Tensors apply_op_all(Op op, Inputs inputs, std::source_location where = std::source_location::current()) {
  if constexpr (detail::require_operation<Op>()) {
    return make_node(detail::make_operation(std::move(op)), inputs, where)->outputs();
  }
}

/// A tensor without inputs whose elements are known: \p op says where they come from, and need not compute them.
template <class Op>
Tensor leaf(Op op, const Array& value, std::source_location where = std::source_location::current()) {
  const Tensor tensor(make_node(detail::make_operation(std::move(op)), Inputs(), where));
  tensor.node().keep_value(0, value);
  return tensor;
}

}  // namespace xgrad
