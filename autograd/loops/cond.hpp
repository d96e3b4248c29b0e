#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "autograd/graph/results.hpp"
#include "autograd/graph/tensor.hpp"

/// \file
/// Branches in the graph.

namespace xgrad {

namespace detail {

/// A branch without the types of its structures: its tensors, and the lengths of lists among them.
using BranchFunction = std::function<Results(const Tensors& operands)>;
/// \return what the chosen one gives.
Tensors cond(const Tensor& predicate, const BranchFunction& if_true, const BranchFunction& if_false,
             const Tensors& operands, const std::source_location& where);

/// A tensor, in place of whatever was given.
template <class T>
using AsTensor = const Tensor&;

/// Where a call stands, and what it is given first.
struct Predicate {
  Tensor tensor;
  std::source_location where;

  /// From whatever ops take.
  template <std::convertible_to<Operand> T>
  Predicate(T&& value, std::source_location place = std::source_location::current()) : where(place) {
    if constexpr (std::same_as<std::remove_cvref_t<T>, bool>) {
      tensor = Tensor(value, place);  // an operand of C++ would be an integer
    } else {
      tensor = Operand(std::forward<T>(value), place).tensor();
    }
  }
};

}  // namespace detail

/// `if_true(operands...)` where \p predicate, a boolean of shape (), is true, else `if_false(operands...)`. One of them runs. Both
/// are called once, when the graph is built, with tensors that stand for the operands; tensors and variables that they capture
/// are inputs, through which gradients flow.
///
/// In vmap, where the predicate differs between samples, both run for all samples; derivatives of the one that a sample does
/// not take do not reach it, infinite or NaN as they may be. Operations that check their operands, such as take, see those of
/// all samples.
/// \return what the functions return: a Tensor, Tensors, a std::pair, std::tuple or std::array of these; of equal shapes and
/// dtypes in both.
/// \throws ShapeError when the predicate is of another shape, or the results' shapes differ.
/// \throws DTypeError when the predicate is no boolean, or the results' dtypes differ.
/// \throws ValueError when a function assigns a variable, reads an element or returns an empty tensor.
template <class F, class G, class... Operands>
auto cond(detail::Predicate predicate, F if_true, G if_false, const Operands&... operands) {
  constexpr bool fits =
      std::is_invocable_v<F&, detail::AsTensor<Operands>...> && std::is_invocable_v<G&, detail::AsTensor<Operands>...>;
  static_assert(fits, "the branches of cond take its operands, a tensor each");
  if constexpr (fits) {
    using Result = std::remove_cvref_t<std::invoke_result_t<F&, detail::AsTensor<Operands>...>>;
    using Kept = std::conditional_t<detail::Packable<Result>, Result, Tensor>;
    constexpr bool alike = std::is_convertible_v<std::invoke_result_t<G&, detail::AsTensor<Operands>...>, Kept>;
    static_assert(alike,
                  "both branches of cond return the same structure: a Tensor, Tensors, a std::pair, std::tuple or "
                  "std::array of these");
    if constexpr (alike) {
      Kept like{};
      const auto call = [&like](auto& f) {
        return [&f, &like](const Tensors& tensors) {
          return [&]<std::size_t... I>(std::index_sequence<I...>) {
            like = Kept(f(tensors[I]...));
            detail::Results results;
            detail::Packing<Kept>::put(like, results);
            return results;
          }(std::index_sequence_for<Operands...>());
        };
      };
      const Tensors chosen = detail::cond(predicate.tensor, call(if_true), call(if_false),
                                          {Operand(operands, predicate.where).tensor()...}, predicate.where);
      return detail::with_tensors_replaced(like, [&](const Tensors&) { return chosen; });
    }
  }
}

}  // namespace xgrad
