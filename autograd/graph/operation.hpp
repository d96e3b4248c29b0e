#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/formula/formula.hpp"
#include "autograd/graph/node.hpp"
#include "autograd/graph/tensor.hpp"
#include "autograd/runtime/error.hpp"

/// \file
/// What an operation is, and how any struct that is one becomes a node of the graph.

namespace xgrad {

/// A name and the member it belongs to.
template <class Class, class Member>
struct Field {
  std::string_view name;  ///< in printed graphs, or in the paths of a model's parameters
  Member Class::*member;  ///< where it is found in an object of \p Class
};
/// `Field{"axis", &Softmax::axis}`.
template <class Class, class Member>
Field(std::string_view, Member Class::*) -> Field<Class, Member>;

namespace detail {

template <std::size_t... I, class Tuple>
constexpr auto pair_fields(std::index_sequence<I...>, const Tuple& all) {
  return std::tuple{Field{std::string_view(std::get<2 * I>(all)), std::get<2 * I + 1>(all)}...};
}

std::string attribute_text(bool value);
template <std::integral T>
std::string attribute_text(T value) {
  return std::to_string(value);
}
std::string attribute_text(double value);
std::string attribute_text(DType value);
std::string attribute_text(const Shape& value);
std::string attribute_text(const std::string& value);
std::string attribute_text(const Formula& value);

}  // namespace detail

/// The table of an operation's attributes, or of a module's members: `fields("axis", &Softmax::axis, ...)`.
template <class... Items>
constexpr auto fields(Items... items) {
  return detail::pair_fields(std::make_index_sequence<sizeof...(Items) / 2>(), std::tuple(items...));
}

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
/// - `attributes`, a fields(...) table of all its members, for printing and comparing; `title()`, a name that depends on
///   them. Members of types of your own have an `attribute_text` beside their type, and an `operator==`. An operation with
///   members that has no `operator==`, and no such table or a constructor or private members, equals nothing but itself:
///   plans that contain it are not shared.
/// - `total`, a constant, true when `eval` never throws: a plan may call it after it has begun to write variables;
/// - `bool splits_rows(Inputs in) const`, or a constant, true when row i of the output, along axis 0, depends on row i of
///   every input alone: a plan may then compute it in blocks of rows.
template <class Op>
concept Operation =
    std::copy_constructible<Op> &&
    requires(const Op& op, Inputs in) {
      { Op::name } -> std::convertible_to<std::string_view>;
      op.infer(in);
    } &&
    (
        requires { requires Op::alias; } || requires(const Op& op, ConstViews in, Views out) { op.eval(in, out); });

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

/// The inputs of a linear operation's jvp: tangents in place of floating inputs, zeros where there is none.
Tensors linear_inputs(const Node& node, const Tangents& t);

/// Its address identifies an operation's type.
template <class Op>
inline constexpr char kind_of = 0;

std::size_t combine_hashes(std::size_t a, std::size_t b);
std::size_t hash_text(std::string_view text);

template <class T>
std::size_t hash_attribute(const T& value) {
  if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    return static_cast<std::size_t>(value);
  } else if constexpr (std::same_as<T, Formula>) {
    return reinterpret_cast<std::size_t>(&value.program());
  } else {
    return hash_text(attribute_text(value));
  }
}

template <class T>
bool same_attribute(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::bit_cast<std::uint64_t>(static_cast<double>(a)) == std::bit_cast<std::uint64_t>(static_cast<double>(b));
  } else if constexpr (std::equality_comparable<T>) {
    return a == b;
  }
  return false;  // its text may leave out digits
}

// Stands for a value of any type in the list that initialises an aggregate.
struct Anything {
  template <class T>
  operator T() const;
};

template <class Op, std::size_t... I>
constexpr bool takes_values(std::index_sequence<I...>) {
  return requires { Op{(static_cast<void>(I), Anything())...}; };
}

// Whether the table of attributes lists all members; members can only be counted where the struct is an aggregate: others
// may have private ones.
template <class Op>
constexpr bool lists_all_members() {
  if constexpr (std::is_aggregate_v<Op> && requires { Op::attributes; }) {
    using Table = std::remove_cvref_t<decltype(Op::attributes)>;
    return !takes_values<Op>(std::make_index_sequence<std::tuple_size_v<Table> + 1>());
  }
  return false;
}

template <class Op>
bool same_operations(const Op& a, const Op& b) {
  if constexpr (std::is_empty_v<Op>) {
    return true;
  } else if constexpr (std::equality_comparable<Op>) {
    return a == b;
  } else if constexpr (lists_all_members<Op>()) {
    return std::apply([&](const auto&... field) { return (same_attribute(a.*field.member, b.*field.member) && ...); },
                      Op::attributes);
  }
  return &a == &b;
}

template <class Op>
class NodeOf final : public Node {
 public:
  NodeOf(Op op, Inputs inputs, std::span<const Spec> outputs, const std::source_location& where)
      : Node(inputs, outputs, &kind_of<Op>, where), op_(std::move(op)) {}

  const Op& op() const { return op_; }

  std::string_view name() const override {
    if constexpr (requires { op_.title(); }) {
      return op_.title();
    } else {
      return Op::name;
    }
  }

  std::string attributes() const override {
    std::string text;
    if constexpr (requires { Op::attributes; }) {
      std::apply([&](const auto&... field) { (append(text, field), ...); }, Op::attributes);
    }
    return text;
  }

  bool is_alias() const override {
    if constexpr (requires { Op::alias; }) {
      return Op::alias;
    }
    return false;
  }
  bool stops_gradient() const override {
    if constexpr (requires { Op::stops_gradient; }) {
      return Op::stops_gradient;
    }
    return false;
  }
  bool has_vjp() const override {
    return requires(const Node& node, const Cotangents& ct) { op_.vjp(node, ct); };
  }
  bool has_jvp() const override {
    return linear() || requires(const Node& node, const Tangents& t) { op_.jvp(node, t); };
  }
  bool has_vmap() const override {
    return maps_leading_axes() || requires(const Node& node, const BatchedInputs& in) { op_.vmap(node, in); };
  }

  void eval([[maybe_unused]] ConstViews in, [[maybe_unused]] Views out) const override {
    if constexpr (requires { op_.eval(in, out); }) {
      op_.eval(in, out);
    }
  }

  Tensors vjp([[maybe_unused]] const Cotangents& ct) const override {
    if constexpr (requires(const Node& node) { op_.vjp(node, ct); }) {
      return op_.vjp(*this, ct);
    }
    return Tensors(inputs().size());
  }

  Tensors jvp([[maybe_unused]] const Tangents& t) const override {
    if constexpr (requires(const Node& node) { op_.jvp(node, t); }) {
      return op_.jvp(*this, t);
    } else if constexpr (linear()) {
      return rebuild(linear_inputs(*this, t));
    }
    return Tensors(output_count());
  }

  Tensors vmap([[maybe_unused]] const BatchedInputs& in) const override {
    if constexpr (requires(const Node& node) { op_.vmap(node, in); }) {
      return op_.vmap(*this, in);
    } else if constexpr (maps_leading_axes()) {
      return rebuild(in.tensors);
    }
    return Tensors(output_count());
  }

  Tensors rebuild(Inputs inputs) const override;

  Ref<const Node> detached() const override {
    return Ref<const Node>(new NodeOf(op_, Inputs(), specs().span(), location()));
  }
  bool same_operation(const Node& other) const override {
    const Op* op = other.as<Op>();
    return op != nullptr && same_operations(op_, *op);
  }
  std::size_t operation_hash() const override {
    auto hash = reinterpret_cast<std::size_t>(kind());
    if constexpr (requires { Op::attributes; }) {
      std::apply([&](const auto&... field) { ((hash = combine_hashes(hash, hash_attribute(op_.*field.member))), ...); },
                 Op::attributes);
    }
    return hash;
  }
  bool is_total() const override {
    if constexpr (requires(Inputs in) { op_.total(in); }) {
      return op_.total(inputs());
    } else if constexpr (requires { Op::total; }) {
      return Op::total;
    }
    return is_alias();
  }
  bool splits_rows() const override {
    if constexpr (requires(Inputs in) { op_.splits_rows(in); }) {
      return op_.splits_rows(inputs());
    } else if constexpr (requires { Op::splits_rows; }) {
      return Op::splits_rows;
    }
    return false;
  }

 private:
  static constexpr bool linear() {
    if constexpr (requires { Op::linear; }) {
      return Op::linear;
    }
    return false;
  }
  static constexpr bool maps_leading_axes() {
    if constexpr (requires { Op::maps_leading_axes; }) {
      return Op::maps_leading_axes;
    }
    return false;
  }

  template <class F>
  void append(std::string& text, const F& field) const {
    text.append(text.empty() ? "" : ", ").append(field.name).append("=").append(attribute_text(op_.*field.member));
  }

  Op op_;
};

template <class Op>
Ref<const Node> make_node(Op op, Inputs inputs, const std::source_location& otherwise) {
  const std::source_location where = SourceScope::current(otherwise);
  return located(where, [&] {
    const auto specs = op.infer(inputs);
    if constexpr (std::same_as<std::remove_cvref_t<decltype(specs)>, Spec>) {
      return Ref<const Node>(new NodeOf<Op>(std::move(op), inputs, std::span(&specs, 1), where));
    } else {
      return Ref<const Node>(new NodeOf<Op>(std::move(op), inputs, specs, where));
    }
  });
}

template <class Op>
Tensors NodeOf<Op>::rebuild(Inputs inputs) const {
  const Ref<const Node> node = make_node(op_, inputs, location());
  Tensors outputs;
  for (std::size_t i = 0; i < node->output_count(); ++i) {
    outputs.emplace_back(node, i);
  }
  return outputs;
}

}  // namespace detail

template <class Op>
const Op* Node::as() const {
  return kind_ == &detail::kind_of<Op> ? &static_cast<const detail::NodeOf<Op>*>(this)->op() : nullptr;
}

/// The (first) output of \p op on \p inputs, as a new node.
/// \throws Error what the operation's `infer` throws, with the user's place in the source added.
template <Operation Op>
Tensor apply_op(Op op, Inputs inputs, std::source_location where = std::source_location::current()) {
  return Tensor(detail::make_node(std::move(op), inputs, where));
}
/// The same, for inputs written as a list.
template <Operation Op>
Tensor apply_op(Op op, std::initializer_list<Tensor> inputs,
                std::source_location where = std::source_location::current()) {
  return Tensor(detail::make_node(std::move(op), Inputs(inputs.begin(), inputs.size()), where));
}

/// All outputs of \p op on \p inputs, as a new node.
template <Operation Op>
Tensors apply_op_all(Op op, Inputs inputs, std::source_location where = std::source_location::current()) {
  const Ref<const Node> node = detail::make_node(std::move(op), inputs, where);
  Tensors outputs;
  for (std::size_t i = 0; i < node->output_count(); ++i) {
    outputs.emplace_back(node, i);
  }
  return outputs;
}

/// A tensor without inputs whose elements are known: \p op says where they come from, and need not compute them.
template <class Op>
Tensor leaf(Op op, const Array& value, std::source_location where = std::source_location::current()) {
  const Tensor tensor(detail::make_node(std::move(op), Inputs(), where));
  tensor.node().keep_value(0, value);
  return tensor;
}

}  // namespace xgrad
