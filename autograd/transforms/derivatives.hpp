#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <utility>

#include "autograd/transforms/grad.hpp"

/// \file
/// Matrices of derivatives, and linear approximations.

namespace xgrad {

/// In which direction a Jacobian is computed.
enum class JacobianMode : std::uint8_t {
  by_shape,   ///< reverse when there are fewer outputs than inputs, else forward
  reverse,    ///< one vjp per output element, all at once
  forward,    ///< one jvp per input element, all at once
  symmetric,  ///< forward, of a Jacobian that equals its transpose, as that of a gradient does: nothing is transposed
};

/// d output / d input, of shape output.shape + input.shape and the dtype of the output, in either mode; zeros where the
/// output does not depend on the input.
/// \throws DTypeError when one of them is not floating.
/// \throws ShapeError for JacobianMode::symmetric, when output and input are not of one shape.
/// \throws GradientError as vjp, jvp and vmap do.
Tensor jacobian(const Tensor& output, const Tensor& input, JacobianMode mode = JacobianMode::by_shape,
                std::source_location where = std::source_location::current());

/// A function that gives the Jacobian of \p f with respect to argument number \p argument: `jacobian(f)(x)`.
/// \throws ValueError when the function is called with too few arguments for there to be one with that number.
template <class F>
  requires(!std::convertible_to<F, Tensor>)
auto jacobian(F f, std::size_t argument = 0, JacobianMode mode = JacobianMode::by_shape,
              std::source_location where = std::source_location::current()) {
  return [f = std::move(f), argument, mode, where](const auto&... arguments) {
    const detail::FreshAliases fresh(where, arguments...);
    const Tensor& chosen = detail::numbered_argument("jacobian", fresh.tensors(), argument, where);
    return jacobian(detail::call_on<sizeof...(arguments)>(f, fresh.tensors()), chosen, mode, where);
  };
}

/// A function that gives the matrix of second derivatives of a function \p f to one number: `hessian(f)(x)` has shape
/// x.shape + x.shape. Forward over reverse.
template <class F>
auto hessian(F f, std::size_t argument = 0, std::source_location where = std::source_location::current()) {
  return jacobian(grad(std::move(f), argument, where), argument, JacobianMode::symmetric, where);
}

/// A function that gives the product of the Hessian of \p f and a vector, without the Hessian: `hvp(f)(x, v)`.
template <class F>
auto hvp(F f, std::source_location where = std::source_location::current()) {
  return [gradient = grad(std::move(f), 0, where)](const Operand& x, const Operand& v) {
    const Tensor at = x.tensor();
    return jvp(gradient, {at}, {v.tensor(at.dtype())}, x.where()).second;
  };
}

/// The derivative of a function at a point as a linear function: what does not depend on the tangents is computed once.
class LinearMap {
 public:
  /// The derivative of \p value with respect to \p inputs, at the elements that these have.
  LinearMap(const Tensor& value, const Tensors& inputs, std::source_location where = std::source_location::current());

  /// The derivative along the given tangents, one per argument.
  /// \throws ValueError when there are more or fewer tangents than arguments.
  /// \throws ShapeError when a tangent is not of the shape of its argument.
  /// \throws DTypeError when a tangent is not of the dtype of its argument.
  Tensor operator()(const Tensors& tangents, std::source_location where = std::source_location::current()) const;

 private:
  Tensors placeholders_;
  Tensor derivative_;
};

/// The value of \p f and its linear approximation: `auto [y, df] = linearize(f, {x}); Tensor dy = df({dx});`
template <class F, std::size_t N>
std::pair<Tensor, LinearMap> linearize(const F& f, const Tensor (&primals)[N],
                                       std::source_location where = std::source_location::current()) {
  const detail::FreshAliases fresh(where, primals);
  const Tensor value = detail::call_on<N>(f, fresh.tensors());
  return {value, LinearMap(value, fresh.tensors(), where)};
}

}  // namespace xgrad
