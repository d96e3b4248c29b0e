#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/array/dtype.hpp"
#include "autograd/array/ref.hpp"
#include "autograd/array/shape.hpp"
#include "autograd/formula/formula.hpp"
#include "autograd/graph/spec.hpp"

/// \file
/// Attributes: the members of an operation, as those see them who do not know its type. Printing, comparing and hashing an
/// operation are visits of its attributes, and so is whatever writes graphs in another language.

namespace xgrad {

class SubProgram;

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

}  // namespace detail

/// The table of an operation's attributes, or of a module's members: `fields("axis", &Softmax::axis, ...)`.
template <class... Items>
constexpr auto fields(Items... items) {
  return detail::pair_fields(std::make_index_sequence<sizeof...(Items) / 2>(), std::tuple(items...));
}

/// An attribute of a type that xgrad does not know.
struct OpaqueAttribute {
  const void* value;                            ///< where it is
  const void* type;                             ///< identifies its type
  std::string (*text)(const void* value);       ///< how it prints; null when it does not
  bool (*equal)(const void* a, const void* b);  ///< of two of this type; null when they cannot be compared
};

/// Is shown the attributes of an operation in the order of its table.
class AttributeVisitor {
 public:
  virtual void boolean(std::string_view name, bool value) = 0;               ///< bool
  virtual void integer(std::string_view name, std::int64_t value) = 0;       ///< whole numbers and enumerations
  virtual void number(std::string_view name, double value) = 0;              ///< float and double
  virtual void dtype(std::string_view name, DType value) = 0;                ///< an element type
  virtual void shape(std::string_view name, const Ints& value) = 0;          ///< a number per axis: sizes, axes
  virtual void text(std::string_view name, std::string_view value) = 0;      ///< strings; an empty one is not printed
  virtual void formula(std::string_view name, const Formula& value) = 0;     ///< elementwise mathematics
  virtual void program(std::string_view name, const SubProgram& value) = 0;  ///< a function
  virtual void opaque(std::string_view name, const OpaqueAttribute& value) = 0;  ///< anything else
  /// What an operation without inputs gives. Unless overridden, a shape and a dtype.
  virtual void spec(std::string_view name, const Spec& value);

 protected:
  ~AttributeVisitor() = default;
};

/// One that looks at some kinds of attributes alone: at those whose functions it overrides.
class SelectiveVisitor : public AttributeVisitor {
 public:
  void boolean(std::string_view, bool) override {}
  void integer(std::string_view, std::int64_t) override {}
  void number(std::string_view, double) override {}
  void dtype(std::string_view, DType) override {}
  void shape(std::string_view, const Ints&) override {}
  void text(std::string_view, std::string_view) override {}
  void formula(std::string_view, const Formula&) override {}
  void program(std::string_view, const SubProgram&) override {}
  void opaque(std::string_view, const OpaqueAttribute&) override {}

 protected:
  ~SelectiveVisitor() = default;
};

namespace detail {

/// Its address identifies a type.
template <class T>
inline constexpr char type_tag = 0;

/// `outer.inner`, or the one of them that is not empty.
class QualifiedName {
 public:
  QualifiedName(std::string_view outer, std::string_view inner);
  operator std::string_view() const { return joined_.empty() ? single_ : std::string_view(joined_); }

 private:
  std::string_view single_;
  std::string joined_;
};

template <class T>
OpaqueAttribute opaque_attribute(const T& value) {
  OpaqueAttribute result{&value, &type_tag<T>, nullptr, nullptr};
  if constexpr (requires {
                  { attribute_text(value) } -> std::convertible_to<std::string>;
                }) {
    result.text = [](const void* x) -> std::string { return attribute_text(*static_cast<const T*>(x)); };
  }
  if constexpr (std::equality_comparable<T>) {
    result.equal = [](const void* a, const void* b) -> bool {
      return *static_cast<const T*>(a) == *static_cast<const T*>(b);
    };
  }
  return result;
}

template <class T>
void visit_fields(AttributeVisitor& visitor, std::string_view outer, const T& object);

template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;

/// Shows \p value, of whatever type, to \p visitor.
template <class T>
void visit_attribute(AttributeVisitor& visitor, std::string_view name, const T& value) {
  if constexpr (std::same_as<T, bool>) {
    visitor.boolean(name, value);
  } else if constexpr (std::same_as<T, DType>) {
    visitor.dtype(name, value);
  } else if constexpr (std::is_enum_v<T> && requires { attribute_value(value); }) {
    visit_attribute(visitor, name, attribute_value(value));
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    visitor.integer(name, static_cast<std::int64_t>(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    visitor.number(name, static_cast<double>(value));
  } else if constexpr (std::derived_from<T, Ints>) {
    visitor.shape(name, value);
  } else if constexpr (std::same_as<T, Spec>) {
    visitor.spec(name, value);
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    visitor.text(name, value);
  } else if constexpr (std::same_as<T, Formula>) {
    visitor.formula(name, value);
  } else if constexpr (std::same_as<T, Ref<const SubProgram>>) {
    visitor.program(name, *value);
  } else if constexpr (requires { attribute_value(value); }) {
    visit_attribute(visitor, name, attribute_value(value));
  } else if constexpr (requires { T::attributes; }) {
    visit_fields(visitor, name, value);
  } else if constexpr (is_list<T>) {
    visitor.integer(QualifiedName(name, "count"), static_cast<std::int64_t>(value.size()));
    for (std::size_t i = 0; i < value.size(); ++i) {
      visit_attribute(visitor, QualifiedName(name, std::to_string(i)), value[i]);
    }
  } else {
    visitor.opaque(name, opaque_attribute(value));
  }
}

template <class T>
void visit_fields(AttributeVisitor& visitor, std::string_view outer, const T& object) {
  std::apply(
      [&](const auto&... field) {
        (visit_attribute(visitor, QualifiedName(outer, field.name), object.*field.member), ...);
      },
      T::attributes);
}

// Stands for a value of any type in the list that initialises an aggregate.
struct Anything {
  template <class T>
  operator T() const;
};

template <class T, std::size_t... I>
constexpr bool takes_values(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), Anything())...}; };
}

// Whether the table of attributes lists all members; members can only be counted where the struct is an aggregate: others
// may have private ones.
template <class T>
constexpr bool lists_all_members() {
  if constexpr (std::is_aggregate_v<T> && requires { T::attributes; }) {
    using Table = std::remove_cvref_t<decltype(T::attributes)>;
    return !takes_values<T>(std::make_index_sequence<std::tuple_size_v<Table> + 1>());
  }
  return std::is_empty_v<T>;
}

/// Shows all that there is to \p object: its table, and, where the table does not list every member or the type has an
/// idea of its own of what is equal, the object as a whole.
template <class T>
void visit_object(AttributeVisitor& visitor, const T& object) {
  if constexpr (requires { T::attributes; }) {
    visit_fields(visitor, {}, object);
  }
  if constexpr (!std::is_empty_v<T> && (std::equality_comparable<T> || !lists_all_members<T>())) {
    visitor.opaque({}, opaque_attribute(object));
  }
}

}  // namespace detail

}  // namespace xgrad
