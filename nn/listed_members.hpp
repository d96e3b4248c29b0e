#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "autograd/graph/attributes.hpp"
#include "autograd/graph/variable.hpp"

/// \file
/// Whether the table of a layer names all that it has. Members cannot be listed by the language, but those of an aggregate
/// can be counted: by what its braces take.

namespace xgrad::nn {

template <class Self>
class Layer;

namespace detail {

template <class T>
constexpr bool holds_variables();

/// Stands for a member of any type in the braces that initialise an aggregate.
struct AnyMember {
  template <class T>
  operator T() const;
};
/// Stands for a member that holds variables.
struct StatefulMember {
  template <class T>
    requires(holds_variables<T>())
  operator T() const;
};

template <class T, class One, std::size_t... Before, std::size_t... Behind>
constexpr bool takes(std::index_sequence<Before...>, std::index_sequence<Behind...>) {
  return requires {
    T{(static_cast<void>(Before), AnyMember())..., One(), (static_cast<void>(Behind), AnyMember())...};
  };
}

/// Whether T's braces take `before` members, a \p One, and `behind` more.
template <class T, std::size_t before, class One = AnyMember, std::size_t behind = 0>
inline constexpr bool takes_members =
    takes<T, One>(std::make_index_sequence<before>(), std::make_index_sequence<behind>());

/// How many members and bases an aggregate has: the most values that its braces take. (Those of an array count one by
/// one. Braces may not do with fewer than some: members need not have a default.)
template <class T, std::size_t count = 0, std::size_t most = 0>
constexpr std::size_t count_members() {
  constexpr std::size_t longest_array = 16;
  if constexpr (takes_members<T, count>) {
    return count_members<T, count + 1, count + 1>();
  } else if constexpr (count < (most > 0 ? most + longest_array : sizeof(T))) {
    return count_members<T, count + 1, most>();
  }
  return most;
}

/// How many members and bases of an aggregate hold variables.
template <class T>
constexpr std::size_t count_stateful() {
  constexpr std::size_t count = count_members<T>();
  return []<std::size_t... I>(std::index_sequence<I...>) {
    return (std::size_t{0} + ... + (takes_members<T, I, StatefulMember, count - 1 - I> ? 1 : 0));
  }(std::make_index_sequence<count>());
}

/// The fields of a table, of which some are members that hold variables.
template <class Table>
struct Listed;
template <class... Class, class... Member>
struct Listed<std::tuple<Field<Class, Member>...>> {
  static constexpr std::size_t stateful = (std::size_t{0} + ... + (holds_variables<Member>() ? 1 : 0));
};

template <class T>
struct IsLayer : std::is_base_of<Layer<T>, T> {};
template <class T>
struct IsLayerBase : std::false_type {};
template <class Self>
struct IsLayerBase<Layer<Self>> : std::true_type {};

/// Whether something that is made from other types, such as std::vector<T>, is made from one that holds variables.
template <class T>
struct MadeOf : std::false_type {};
template <template <class...> class C, class... Parts>
struct MadeOf<C<Parts...>> : std::bool_constant<(holds_variables<std::remove_cv_t<Parts>>() || ...)> {};
template <class T, std::size_t count>
struct MadeOf<std::array<T, count>> : std::bool_constant<holds_variables<T>()> {};
template <class T, std::size_t count>
struct MadeOf<T[count]> : std::bool_constant<holds_variables<T>()> {};

/// Whether there may be variables in a \p T.
template <class T>
constexpr bool holds_variables() {
  if constexpr (std::is_array_v<T>) {
    return MadeOf<T>::value;
  } else if constexpr (!std::is_class_v<T> || IsLayerBase<T>::value || !requires { sizeof(T); }) {
    return false;
  } else if constexpr (std::derived_from<T, Variable>) {
    return true;
  } else if constexpr (std::is_aggregate_v<T> && !requires { std::tuple_size<T>::value; }) {
    return count_stateful<T>() > 0;
  } else if constexpr (requires { T::members; }) {
    return Listed<std::remove_cvref_t<decltype(T::members)>>::stateful > 0;
  } else if constexpr (IsLayer<T>::value) {
    return sizeof(T) > sizeof(Layer<T>);  // such as Module, which may hold anything
  } else {
    return MadeOf<T>::value;
  }
}

/// Whether the table of a layer names every member that holds variables. Of those with a constructor or private members
/// it is not known: that they have a table has to do.
template <class L>
constexpr bool lists_members() {
  if constexpr (!std::is_class_v<L>) {
    return true;
  } else if constexpr (std::is_aggregate_v<L>) {
    if constexpr (requires { L::members; }) {
      return Listed<std::remove_cvref_t<decltype(L::members)>>::stateful >= count_stateful<L>();
    } else {
      return count_stateful<L>() == 0;
    }
  } else if constexpr (IsLayer<L>::value) {
    return requires { L::members; } || sizeof(L) == sizeof(Layer<L>);
  }
  return true;
}

}  // namespace detail

}  // namespace xgrad::nn
