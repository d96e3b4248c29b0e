#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <source_location>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/array/array.hpp"

/// \file
/// Tensor, the handle that users hold; and Operand, what ops accept.

namespace xgrad {

class Node;
class Slice;
class Tensor;
class Variable;

/// For Ref<const Node>: one more handle.
void add_reference(const Node* node);
/// For Ref<const Node>: one handle less; the last one destroys the node, and what only it used, without recursion.
void drop_reference(const Node* node);

/// A list of tensors.
using Tensors = std::vector<Tensor>;

namespace detail {

/// A number given as a C++ scalar.
template <class S>
concept Number = std::is_arithmetic_v<S>;

/// What tensors can be made of: numbers, and bfloat16, which is none in C++.
template <class S>
concept Element = Number<S> || std::same_as<S, BFloat16>;

/// The rows of a nested initialiser, joined. \throws ShapeError when they differ in length.
Array stack_rows(std::span<const Array> rows, const std::source_location& where);

template <Element T>
Array of_vector(const std::vector<T>& values) {
  Array result({static_cast<std::int64_t>(values.size())}, dtype_of<T>());
  std::copy(values.begin(), values.end(), result.data<T>());
  return result;
}

template <Element T>
Array nested(std::initializer_list<T> values, const std::source_location&) {
  Array result({static_cast<std::int64_t>(values.size())}, dtype_of<T>());
  std::copy(values.begin(), values.end(), result.data<T>());
  return result;
}

template <class T>
Array nested(std::initializer_list<std::initializer_list<T>> rows, const std::source_location& where) {
  std::vector<Array> arrays;
  for (const auto& row : rows) {
    arrays.push_back(nested(row, where));
  }
  return stack_rows(arrays, where);
}

template <class T>
struct NestedList : std::false_type {};
template <Element T>
struct NestedList<std::initializer_list<T>> : std::true_type {};
template <class T>
struct NestedList<std::initializer_list<std::initializer_list<T>>> : NestedList<std::initializer_list<T>> {};

}  // namespace detail

/// A multidimensional array of numbers that knows how it was computed.
///
/// A Tensor is a cheap, immutable handle: copies share the node of the graph that computes it. Shape and dtype are
/// known at once; the elements are computed when asked for. Safe to use from several threads.
class Tensor {
 public:
  /// No tensor at all; only defined() and assignment work on it.
  Tensor() = default;

  /// \name Copies
  /// \{

  /// Share the node. Only names can be assigned to: `x[0] = 1.0` does not compile, as it would not change x.
  Tensor(const Tensor&) = default;
  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(const Tensor&) & = default;
  Tensor& operator=(Tensor&&) & noexcept = default;
  ~Tensor() = default;
  /// \}

  /// A constant that shares the array's buffer.
  Tensor(const Array& array, std::source_location where = std::source_location::current());

  /// A single number, shape (), of the dtype of its C++ type.
  template <detail::Element S>
  Tensor(S number, std::source_location where = std::source_location::current()) : Tensor(of_number(number), where) {}

  /// `Tensor x = {1.0, 2.0, 3.0};` has shape (3,).
  template <detail::Element S>
  Tensor(std::initializer_list<S> values, std::source_location where = std::source_location::current())
      : Tensor(detail::nested(values, where), where) {}

  /// The elements of a vector, copied; shape (n,).
  template <detail::Element S>
  explicit Tensor(const std::vector<S>& values, std::source_location where = std::source_location::current())
      : Tensor(detail::of_vector(values), where) {}

  /// `Tensor x = {{1.0, 2.0}, {3.0, 4.0}};` has shape (2, 2); deeper nesting works alike.
  template <class S>
    requires detail::NestedList<std::initializer_list<std::initializer_list<S>>>::value
  Tensor(std::initializer_list<std::initializer_list<S>> rows,
         std::source_location where = std::source_location::current())
      : Tensor(detail::nested(rows, where), where) {}
  /// `Tensor x = {{{1.0}, {2.0}}};` has shape (1, 2, 1).
  template <class S>
    requires detail::NestedList<std::initializer_list<std::initializer_list<std::initializer_list<S>>>>::value
  Tensor(std::initializer_list<std::initializer_list<std::initializer_list<S>>> rows,
         std::source_location where = std::source_location::current())
      : Tensor(detail::nested(rows, where), where) {}

  /// A constant from an xtensor container or expression: evaluated and copied, or adopted without a copy when it is a
  /// row-major `xt::xarray` given as an rvalue.
  template <detail::XtensorExpression E>
  Tensor(E&& expression, std::source_location where = std::source_location::current())
      : Tensor(to_array(std::forward<E>(expression)), where) {}

  /// Output \p index of \p node.
  explicit Tensor(Ref<const Node> node, std::size_t index = 0);

  bool defined() const { return static_cast<bool>(node_); }  ///< false for a default-constructed handle

  const Shape& shape() const;                                    ///< sizes of the axes
  std::int64_t shape(std::int64_t axis) const;                   ///< size of one axis; negative counts from the end
  DType dtype() const;                                           ///< type of the elements
  std::size_t ndim() const { return shape().ndim(); }            ///< number of axes
  std::int64_t size() const { return shape().element_count(); }  ///< number of elements

  /// The elements, computed if they are not known yet, and kept for as long as the tensor lives.
  Array array() const;

  /// The elements as a read-only xtensor array of \p T that shares ownership of the memory; nothing is copied.
  /// \throws DTypeError when \p T is not the dtype.
  template <class T>
  auto value(std::source_location where = std::source_location::current()) const {
    return view<T>(elements(dtype_of<T>(), where));
  }

  /// The element of a tensor of one element, converted to \p T.
  /// \throws ShapeError when there is more than one element or none.
  template <detail::Element T = double>
  T item(std::source_location where = std::source_location::current()) const {
    const Array single = single_element(where);
    return dispatch(single.dtype(), [&](auto zero) { return static_cast<T>(*single.data<decltype(zero)>()); });
  }

  /// The same value as a constant: gradients do not flow through it, and how it was computed is forgotten.
  Tensor detach() const;

  /// The tensor at position \p i of the first axis, or the part a slice selects: `x[0]`, `x[-1]`, `x[range(1, 4)]`.
  /// \throws ValueError for a position out of range.
  Tensor operator[](const Slice& slice) const;
  /// One selector per axis: `x[{all(), 2, range(0, 10, 2)}]`; axes without one are kept whole.
  Tensor operator[](std::initializer_list<Slice> slices) const;

  const Node& node() const { return *node_; }                ///< what computes it; not for an undefined handle
  const Ref<const Node>& node_ref() const { return node_; }  ///< what computes it; empty in an undefined handle
  std::size_t output_index() const { return index_; }        ///< which of the node's outputs it is

  /// Whether both are handles to the same output of the same node. (Elements are compared by `a == b` and `allclose`.)
  bool same_as(const Tensor& other) const { return node_ == other.node_ && index_ == other.index_; }

  /// Takes the node out of the handle, leaving it undefined; the caller takes over the reference.
  const Node* release() { return node_.detach(); }

 private:
  template <class S>
  static Array of_number(S number) {
    Array result({}, dtype_of<S>());
    *result.data<S>() = number;
    return result;
  }
  Array elements(DType wanted, const std::source_location& where) const;
  Array single_element(const std::source_location& where) const;

  Ref<const Node> node_;
  std::size_t index_ = 0;
};

/// Prints the elements as xtensor does.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

/// Computes all \p tensors together, sharing common work; later requests for their elements are free.
void evaluate(std::span<const Tensor> tensors);
/// The same, for tensors written as a list: `evaluate({a, b})`.
inline void evaluate(std::initializer_list<Tensor> tensors) {
  evaluate(std::span<const Tensor>(tensors.begin(), tensors.size()));
}

/// What ops accept: a Tensor, a Variable, an xtensor container or expression, an Array, or a C++ number; together with
/// the place in the user's source where it was passed. A C++ number is weak: it takes the dtype of what it meets.
class Operand {
 public:
  /// \name Conversions
  /// \{

  /// From everything that ops accept; \p where is filled in by itself.
  Operand(const Tensor& tensor, std::source_location where = std::source_location::current())
      : tensor_(tensor), where_(where) {}
  Operand(Tensor&& tensor, std::source_location where = std::source_location::current())
      : tensor_(std::move(tensor)), where_(where) {}
  Operand(const Variable& variable, std::source_location where = std::source_location::current());
  Operand(const Array& array, std::source_location where = std::source_location::current())
      : tensor_(array, where), where_(where) {}
  template <detail::Number S>
  Operand(S number, std::source_location where = std::source_location::current())
      : number_(static_cast<double>(number)),
        integer_(std::is_integral_v<S> ? static_cast<std::int64_t>(number) : 0),
        weak_(true),
        floating_(std::is_floating_point_v<S>),
        where_(where) {}
  template <detail::XtensorExpression E>
  Operand(E&& expression, std::source_location where = std::source_location::current())
      : tensor_(std::forward<E>(expression), where), where_(where) {}
  /// \}

  /// Whether this is a C++ number.
  bool weak() const { return weak_; }
  /// Whether this is a C++ number of floating type.
  bool weak_floating() const { return weak_ && floating_; }
  double number() const { return number_; }  ///< the C++ number, 0 when this is not one

  /// The tensor; a C++ number becomes one of shape (), float32 or int64.
  /// \throws ValueError when the handle is empty.
  Tensor tensor() const;
  /// The tensor; a C++ number becomes one of \p dtype.
  /// \throws DTypeError `[op]` when it does not fit that type.
  Tensor tensor(DType dtype, std::string_view op = "operand") const;

  const std::source_location& where() const { return where_; }  ///< place in the user's source

 private:
  Tensor tensor_;
  double number_ = 0;
  std::int64_t integer_ = 0;  // the number exactly, when it is an integer
  bool weak_ = false;
  bool floating_ = false;
  std::source_location where_;
};

/// While it lives, nodes and errors of the calling thread are attributed to the place \p where in the user's source
/// rather than to the library function that makes them. Of nested scopes the outermost counts.
class SourceScope {
 public:
  explicit SourceScope(const std::source_location& where);  ///< a place, passed on by a library function
  /// The place where the user passed \p operand.
  explicit SourceScope(const Operand& operand) : SourceScope(operand.where()) {}
  SourceScope(const SourceScope&) = delete;
  SourceScope& operator=(const SourceScope&) = delete;
  ~SourceScope();

  /// The place of the outermost scope, or \p otherwise where there is none.
  static std::source_location current(const std::source_location& otherwise);

 private:
  std::source_location where_;
  bool outermost_;
};

}  // namespace xgrad
