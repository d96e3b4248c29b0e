#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <source_location>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "autograd/graph/scope.hpp"
#include "autograd/graph/tensor.hpp"

/// \file
/// The chain rule. Derivatives are tensors like any others: they can be differentiated again.

namespace xgrad {

/// What to do about an input that the output does not depend on.
enum class Unreached : std::uint8_t {
  error,  ///< throw a GradientError that names both
  zeros,  ///< its gradient is zero
};

/// The vector-Jacobian product ctᵀ · d output / d input for each of \p inputs, in reverse mode.
/// \param cotangent of the shape and dtype of \p output.
/// \throws ShapeError when the cotangent is of another shape.
/// \throws DTypeError when the cotangent is of another dtype, or an input is not floating.
/// \throws GradientError as grad does.
Tensors vjp(const Tensor& output, const Tensors& inputs, const Tensor& cotangent,
            Unreached unreached = Unreached::error, std::source_location where = std::source_location::current());

/// d output / d input for each of \p inputs, each of the shape of its input. Variables stand for their current content.
/// \param output a floating tensor of one element.
/// \throws ShapeError when \p output has more than one element.
/// \throws DTypeError when \p output or an input is not floating.
/// \throws GradientError when an input does not reach the output, or an operation between them has no derivative.
Tensors grad(const Tensor& output, const Tensors& inputs, Unreached unreached = Unreached::error,
             std::source_location where = std::source_location::current());

/// The same, for inputs written as a list: `grad(loss, {w, b})`.
inline Tensors grad(const Tensor& output, std::initializer_list<Tensor> inputs, Unreached unreached = Unreached::error,
                    std::source_location where = std::source_location::current()) {
  return grad(output, Tensors(inputs), unreached, where);
}

/// d output / d input.
Tensor grad(const Tensor& output, const Tensor& input, Unreached unreached = Unreached::error,
            std::source_location where = std::source_location::current());

/// The Jacobian-vector product Σ d output / d inputᵢ · tangentᵢ, in forward mode.
/// \param tangents one per input, of its shape and dtype.
/// \return of the shape and dtype of \p output; zeros where no input reaches it.
/// \throws ValueError when there are more or fewer tangents than inputs.
/// \throws ShapeError when a tangent is not of the shape of its input.
/// \throws DTypeError when a tangent is not of the dtype of its input, or an input is not floating.
/// \throws GradientError when an operation between the inputs and the output has no jvp rule.
Tensor jvp(const Tensor& output, const Tensors& inputs, const Tensors& tangents,
           std::source_location where = std::source_location::current());

/// A new handle to the same value that is a node of its own, so that gradients can be taken with respect to it alone.
Tensor alias(const Operand& x);

namespace detail {

/// Calls \p f on the tensors of a list as its arguments.
template <std::size_t N, class F>
Tensor call_on(const F& f, const Tensors& arguments) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) { return f(arguments[I]...); }(std::make_index_sequence<N>());
}

/// The arguments of a transformation under names of its own. While the function that it transforms runs, a compiled
/// function that is called with one of them becomes part of the graph, to be differentiated with it.
class FreshAliases {
 public:
  explicit FreshAliases(std::span<const Operand> arguments);
  template <class... Operands>
  explicit FreshAliases(const std::source_location& where, const Operands&... operands)
      : FreshAliases(std::vector<Operand>{Operand(operands, where)...}) {}
  template <std::size_t N>
  FreshAliases(const std::source_location& where, const Tensor (&tensors)[N])
      : FreshAliases(operands(where, tensors)) {}
  const Tensors& tensors() const { return tensors_; }

 private:
  template <std::size_t N>
  static std::vector<Operand> operands(const std::source_location& where, const Tensor (&tensors)[N]) {
    std::vector<Operand> result;
    for (const Tensor& tensor : tensors) {
      result.emplace_back(tensor, where);
    }
    return result;
  }

  OpenScope scope_;
  Tensors tensors_;
};

/// The argument with that number. \throws ValueError `[op]` when there are fewer.
const Tensor& numbered_argument(std::string_view op, const Tensors& arguments, std::size_t number,
                                const std::source_location& where);

}  // namespace detail

/// The value of \p f and its derivative along the given tangents: `auto [y, dy] = jvp(f, {x, w}, {dx, dw})`.
template <class F, std::size_t N>
  requires(!std::convertible_to<F, Tensor>)
std::pair<Tensor, Tensor> jvp(const F& f, const Tensor (&primals)[N], const Tensor (&tangents)[N],
                              std::source_location where = std::source_location::current()) {
  const detail::FreshAliases fresh(where, primals);
  const Tensor value = detail::call_on<N>(f, fresh.tensors());
  return {value, jvp(value, fresh.tensors(), Tensors(tangents, tangents + N), where)};
}

/// The value of \p f and the function that takes a cotangent of it to the cotangents of the arguments:
/// `auto [y, pullback] = vjp(f, {x, w}); Tensors cts = pullback(ct);`
template <class F, std::size_t N>
  requires(!std::convertible_to<F, Tensor>)
auto vjp(const F& f, const Tensor (&primals)[N], std::source_location where = std::source_location::current()) {
  const detail::FreshAliases fresh(where, primals);
  const Tensor value = detail::call_on<N>(f, fresh.tensors());
  const auto pullback = [value, inputs = fresh.tensors()](
                            const Tensor& ct, std::source_location called = std::source_location::current()) {
    return vjp(value, inputs, ct, Unreached::zeros, called);
  };
  return std::pair(value, pullback);
}

/// A function that calls \p f and differentiates it: `auto [y, dx] = value_and_grad(f)(x)`.
///
/// \p f takes one or more tensors and gives a tensor of one element; the derivative is taken with respect to the
/// argument number \p argument, and is zero where the result does not depend on it. \p f is given fresh aliases of its
/// arguments, so that nested transformations cannot confuse their variables. Errors name the place where value_and_grad
/// was called.
/// \throws ValueError when the function is called with too few arguments for there to be one with that number.
/// \throws ShapeError, DTypeError and GradientError as grad of tensors does.
template <class F>
auto value_and_grad(F f, std::size_t argument = 0, std::source_location where = std::source_location::current()) {
  return [f = std::move(f), argument, where](const auto&... arguments) {
    const detail::FreshAliases fresh(where, arguments...);
    const Tensor& chosen = detail::numbered_argument("grad", fresh.tensors(), argument, where);
    const Tensor value = detail::call_on<sizeof...(arguments)>(f, fresh.tensors());
    return std::pair<Tensor, Tensor>(value, grad(value, chosen, Unreached::zeros, where));
  };
}

/// value_and_grad with respect to several arguments: the second result is a list.
template <class F>
auto value_and_grad(F f, std::vector<std::size_t> argument_numbers,
                    std::source_location where = std::source_location::current()) {
  return [f = std::move(f), numbers = std::move(argument_numbers), where](const auto&... arguments) {
    const detail::FreshAliases fresh(where, arguments...);
    Tensors selected;
    for (const std::size_t number : numbers) {
      selected.push_back(detail::numbered_argument("grad", fresh.tensors(), number, where));
    }
    const Tensor value = detail::call_on<sizeof...(arguments)>(f, fresh.tensors());
    return std::pair<Tensor, Tensors>(value, grad(value, selected, Unreached::zeros, where));
  };
}

/// The derivative of a function, as a function: `grad(f)(x)`; `grad(grad(f))(x)` is the second derivative.
template <class F>
  requires(!std::convertible_to<F, Tensor>)
auto grad(F f, std::size_t argument = 0, std::source_location where = std::source_location::current()) {
  return [both = value_and_grad(std::move(f), argument, where)](const auto&... arguments) {
    return both(arguments...).second;
  };
}

/// grad with respect to several arguments.
template <class F>
  requires(!std::convertible_to<F, Tensor>)
auto grad(F f, std::vector<std::size_t> argument_numbers,
          std::source_location where = std::source_location::current()) {
  return [both = value_and_grad(std::move(f), std::move(argument_numbers), where)](const auto&... arguments) {
    return both(arguments...).second;
  };
}

}  // namespace xgrad
