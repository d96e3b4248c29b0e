#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/graph/results.hpp"
#include "autograd/graph/tensor.hpp"
#include "autograd/transforms/aliases.hpp"

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

/// The same for several outputs: Σ ctₖᵀ · d outputₖ / d input for each of \p inputs, in one pass.
/// \param cotangents one per output, of its shape and dtype; undefined tensors stand for zeros.
/// \throws ValueError when there are more or fewer cotangents than outputs; otherwise as above.
Tensors vjp(const Tensors& outputs, const Tensors& inputs, const Tensors& cotangents,
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

/// The same for several outputs, in one pass: one tangent per output.
Tensors jvp(const Tensors& outputs, const Tensors& inputs, const Tensors& tangents,
            std::source_location where = std::source_location::current());

/// The value of \p f and its derivative along the given tangents: `auto [y, dy] = jvp(f, {x, w}, {dx, dw})`. Where f returns
/// several tensors, as Tensors, a std::pair, std::tuple or std::array, so are the tangents.
template <class F, std::size_t N>
  requires detail::FunctionOfTensors<F, N>
auto jvp(const F& f, const Tensor (&primals)[N], const Tensor (&tangents)[N],
         std::source_location where = std::source_location::current()) {
  const detail::FreshAliases fresh(where, primals);
  const auto value = detail::call_for_results<N>(f, fresh.tensors());
  const auto tangent = detail::with_tensors_replaced(value, [&](const Tensors& outputs) {
    return jvp(outputs, fresh.tensors(), Tensors(tangents, tangents + N), where);
  });
  return std::pair(value, tangent);
}

/// The value of \p f and the function that takes a cotangent of it to the cotangents of the arguments:
/// `auto [y, pullback] = vjp(f, {x, w}); Tensors cts = pullback(ct);` Where f returns several tensors, the pullback takes as
/// many.
template <class F, std::size_t N>
  requires detail::FunctionOfTensors<F, N>
auto vjp(const F& f, const Tensor (&primals)[N], std::source_location where = std::source_location::current()) {
  const detail::FreshAliases fresh(where, primals);
  const auto value = detail::call_for_results<N>(f, fresh.tensors());
  using Value = std::remove_const_t<decltype(value)>;
  const auto pullback = [outputs = detail::tensors_of(value), inputs = fresh.tensors()](
                            const Value& ct, std::source_location called = std::source_location::current()) {
    return vjp(outputs, inputs, detail::tensors_of(ct), Unreached::zeros, called);
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
