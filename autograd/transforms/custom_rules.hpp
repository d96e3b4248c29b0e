#pragma once

#include <functional>
#include <source_location>
#include <utility>

#include "autograd/transforms/grad.hpp"

/// \file
/// Functions with derivatives of users' own.

namespace xgrad {

/// A reverse rule for a function: (arguments, result, cotangent of the result) to one cotangent per argument, undefined
/// where it is zero. Built from tensors, it can be differentiated again.
using VjpRule = std::function<Tensors(const Tensors& arguments, const Tensor& result, const Tensor& cotangent)>;

/// A forward rule for a function: (arguments, result, tangents of the arguments) to the tangent of the result; linear
/// in the tangents. Arguments that are not floating have zeros for tangents, of their own dtype, to be left alone.
using JvpRule = std::function<Tensor(const Tensors& arguments, const Tensor& result, const Tensors& tangents)>;

namespace detail {

Tensor with_vjp(const Tensor& result, const Tensors& arguments, VjpRule rule);
Tensor with_jvp(const Tensor& result, const Tensors& arguments, JvpRule rule);

}  // namespace detail

/// The function \p f with the reverse rule \p rule in place of its own. Gradients flow to the arguments only, not to
/// other tensors that f uses. Forward mode is an error.
template <class F>
auto custom_vjp(F f, VjpRule rule, std::source_location where = std::source_location::current()) {
  return [f = std::move(f), rule = std::move(rule), where](const auto&... arguments) {
    const detail::FreshAliases fresh(where, arguments...);
    return detail::with_vjp(detail::call_on<sizeof...(arguments)>(f, fresh.tensors()), fresh.tensors(), rule);
  };
}

/// The function \p f with the forward rule \p rule in place of its own; reverse mode follows by transposing the rule.
/// Derivatives are with respect to the arguments only.
template <class F>
auto custom_jvp(F f, JvpRule rule, std::source_location where = std::source_location::current()) {
  return [f = std::move(f), rule = std::move(rule), where](const auto&... arguments) {
    const detail::FreshAliases fresh(where, arguments...);
    return detail::with_jvp(detail::call_on<sizeof...(arguments)>(f, fresh.tensors()), fresh.tensors(), rule);
  };
}

}  // namespace xgrad
