#pragma once

#include <utility>

#include "autograd/array/xtensor.hpp"
#include "autograd/ops/ops.hpp"

/// \file
/// Operators and functions of which some operands are xtensor's and some are tensors.
///
/// xtensor's own templates take anything, and would be the better match. These are more constrained, so that an xtensor
/// array and a Tensor meet here. Functions of one operand need nothing of the kind.

namespace xgrad {

namespace detail {

template <class T>
concept Handle = std::same_as<std::remove_cvref_t<T>, Tensor> || std::same_as<std::remove_cvref_t<T>, Variable>;

template <class... Ts>
concept XtensorAndHandle = (XtensorExpression<Ts> || ...) && (Handle<Ts> || ...);

// An operand of a template that cannot know where it stands: better no place than one in this header.
template <class T>
Operand unplaced(T&& x) {
  return Operand(std::forward<T>(x), std::source_location());
}

}  // namespace detail

/// \name Operators
/// \{

/// What the op named after the operator computes.
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor operator+(A&& a, B&& b) {
  return xgrad::add(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor operator-(A&& a, B&& b) {
  return xgrad::subtract(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor operator*(A&& a, B&& b) {
  return xgrad::multiply(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor operator/(A&& a, B&& b) {
  return xgrad::divide(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor operator<(A&& a, B&& b) {
  return xgrad::less(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor operator<=(A&& a, B&& b) {
  return xgrad::less_equal(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor operator>(A&& a, B&& b) {
  return xgrad::greater(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor operator>=(A&& a, B&& b) {
  return xgrad::greater_equal(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor operator==(A&& a, B&& b) {
  return xgrad::equal(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor operator!=(A&& a, B&& b) {
  return xgrad::not_equal(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
/// \}

/// \name Functions whose names xtensor has, too
/// \{

/// What the op of that name computes.
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor maximum(A&& a, B&& b) {
  return xgrad::maximum(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor minimum(A&& a, B&& b) {
  return xgrad::minimum(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor pow(A&& a, B&& b) {
  return xgrad::pow(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor atan2(A&& a, B&& b) {
  return xgrad::atan2(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor hypot(A&& a, B&& b) {
  return xgrad::hypot(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor remainder(A&& a, B&& b) {
  return xgrad::remainder(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor less(A&& a, B&& b) {
  return xgrad::less(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor less_equal(A&& a, B&& b) {
  return xgrad::less_equal(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor greater(A&& a, B&& b) {
  return xgrad::greater(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor greater_equal(A&& a, B&& b) {
  return xgrad::greater_equal(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor equal(A&& a, B&& b) {
  return xgrad::equal(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class A, class B>
  requires detail::XtensorAndHandle<A, B>
Tensor not_equal(A&& a, B&& b) {
  return xgrad::not_equal(detail::unplaced(std::forward<A>(a)), detail::unplaced(std::forward<B>(b)));
}
template <class C, class A, class B>
  requires detail::XtensorAndHandle<C, A, B>
Tensor where(C&& condition, A&& a, B&& b) {
  return xgrad::where(detail::unplaced(std::forward<C>(condition)), detail::unplaced(std::forward<A>(a)),
                      detail::unplaced(std::forward<B>(b)));
}
/// \}

}  // namespace xgrad
