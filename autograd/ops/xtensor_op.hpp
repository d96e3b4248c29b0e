#pragma once

#include <array>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "autograd/array/xtensor.hpp"
#include "autograd/graph/operation.hpp"

/// \file
/// Operations written with raw xtensor expressions.

namespace xgrad {

/// The shape of an operation's output, from the shapes of its inputs.
using ShapeRule = std::function<Shape(const std::vector<Shape>& inputs)>;

namespace detail {

/// The shape rule of elementwise operations: all inputs broadcast.
Shape broadcast_all(const std::vector<Shape>& shapes);

std::vector<Shape> shapes_of(Inputs inputs);
void require_dtype(const std::string& op, Inputs inputs, DType dtype);
[[noreturn]] void raise_wrong_result(const std::string& op, const char* function, const Shape& given,
                                     const Shape& expected);
[[noreturn]] void raise_not_differentiable_again(const std::string& op);

/// The elements of a view as a read-only xtensor array, without a copy.
template <class T>
auto as_xtensor(const ConstView& view) {
  const std::vector<std::size_t> shape(view.shape().begin(), view.shape().end());
  return xt::adapt(view.as<T>(), static_cast<std::size_t>(view.size()), xt::no_ownership(), shape);
}

/// Evaluates an xtensor expression into the memory of an output.
template <class T, class E>
void write_xtensor(const std::string& op, const char* function, const E& expression, const View& out) {
  const Shape shape(expression.shape().begin(), expression.shape().end());
  if (shape != out.shape()) {
    raise_wrong_result(op, function, shape, out.shape());
  }
  T* target = out.as<T>();
  for (auto it = expression.template begin<xt::layout_type::row_major>(),
            end = expression.template end<xt::layout_type::row_major>();
       it != end; ++it) {
    *target++ = static_cast<T>(*it);
  }
}

/// Whether \p E holds its elements itself. An expression refers to those of others, which may be gone when a function has
/// returned it, and an adaptor to memory that may be.
template <class E>
inline constexpr bool is_container = false;
template <class Elements, xt::layout_type L, class Sizes, class Tag>
inline constexpr bool is_container<xt::xarray_container<Elements, L, Sizes, Tag>> = true;
template <class Elements, std::size_t N, xt::layout_type L, class Tag>
inline constexpr bool is_container<xt::xtensor_container<Elements, N, L, Tag>> = true;
template <class T, class Sizes, xt::layout_type L, bool sharable, class Tag>
inline constexpr bool is_container<xt::xfixed_container<T, Sizes, L, sharable, Tag>> = true;
template <class... E>
inline constexpr bool is_container<std::tuple<E...>> = (is_container<std::remove_cvref_t<E>> && ...);
template <class E, class F>
inline constexpr bool is_container<std::pair<E, F>> = is_container<std::tuple<E, F>>;
template <class E, std::size_t N>
inline constexpr bool is_container<std::array<E, N>> = is_container<E>;

/// What a function of the user's gives for these operands.
template <class F, class... Operands>
decltype(auto) call_for_containers(const F& function, const Operands&... operands) {
  static_assert(
      std::is_invocable_v<const F&, const Operands&...>,
      "xtensor_op: the forward function takes one array per input; the backward function takes the inputs, the "
      "result and its cotangent");
  static_assert(is_container<std::remove_cvref_t<std::invoke_result_t<const F&, const Operands&...>>>,
                "xtensor_op: return a container, as in `return xt::xarray<double>(x * 2);`: an expression refers to "
                "variables that are gone when the function has returned");
  return function(operands...);
}

/// What the user gave: shared by the nodes of the operation and of its derivative.
template <class Forward, class Backward>
struct XtensorFunctions {
  std::string name;
  ShapeRule shape;
  Forward forward;
  Backward backward;
};

template <class T, std::size_t N, class Functions>
struct XtensorBackward {
  static constexpr std::string_view name = "xtensor_backward";
  std::shared_ptr<const Functions> functions;

  // Inputs: x_0, ..., x_{N-1}, the output, its cotangent.
  Specs infer(Inputs in) const {
    Specs specs;
    for (std::size_t i = 0; i < N; ++i) {
      specs.push_back({in[i].shape(), in[i].dtype()});
    }
    return specs;
  }
  void eval(ConstViews in, Views out) const {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      const auto cotangents = call_for_containers(functions->backward, as_xtensor<T>(in[I])..., as_xtensor<T>(in[N]),
                                                  as_xtensor<T>(in[N + 1]));
      if constexpr (N == 1 && !requires { std::get<0>(cotangents); }) {
        write_xtensor<T>(functions->name, "backward", cotangents, out[0]);
      } else {
        (write_xtensor<T>(functions->name, "backward", std::get<I>(cotangents), out[I]), ...);
      }
    }(std::make_index_sequence<N>());
  }
  Tensors vjp(const Node&, const Cotangents&) const { raise_not_differentiable_again(functions->name); }
};

template <class T, std::size_t N, class Functions>
struct XtensorForward {
  static constexpr std::string_view name = "xtensor_op";
  std::shared_ptr<const Functions> functions;

  std::string_view title() const { return functions->name; }
  Spec infer(Inputs in) const {
    require_dtype(functions->name, in, dtype_of<T>());
    return {functions->shape(shapes_of(in)), dtype_of<T>()};
  }
  void eval(ConstViews in, Views out) const {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      write_xtensor<T>(functions->name, "forward", call_for_containers(functions->forward, as_xtensor<T>(in[I])...),
                       out[0]);
    }(std::make_index_sequence<N>());
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    Tensors inputs(node.inputs().begin(), node.inputs().end());
    inputs.push_back(node.output(0));
    inputs.push_back(ct[0]);
    return apply_op_all(XtensorBackward<T, N, Functions>{functions}, inputs);
  }
};

}  // namespace detail

/// An operation whose forward and backward passes are ordinary functions on xtensor arrays of \p T:
///
///     const auto softsign = xtensor_op<double>(
///         "softsign",
///         [](const xt::xarray<double>& x) { return xt::xarray<double>(x / (1 + xt::abs(x))); },
///         [](const xt::xarray<double>&, const xt::xarray<double>& y, const xt::xarray<double>& ct) {
///           return xt::xarray<double>(ct * xt::square(1 - xt::abs(y)));
///         });
///     Tensor y = softsign(x);
///
/// It has first derivatives in reverse mode; a second derivative is an error, because its derivative is known as numbers
/// only. Write the rule with xgrad's tensors where higher orders, forward mode or vmap are needed.
/// \param name shown in printed graphs and in error messages.
/// \param forward (x_0, ..., x_{n-1}) to the result.
/// \param backward (x_0, ..., x_{n-1}, result, cotangent) to the cotangents of the inputs: a tuple of arrays of the
/// shapes of the inputs, or the array itself when there is one input. Return arrays: an xtensor expression would refer to
/// variables that are gone.
/// \param shape the shape of the result; by default the inputs broadcast.
/// \param where the place in the user's source that nodes and errors name.
/// \return a function of tensors. It throws DTypeError when an input is not of \p T, and, when it is computed, ShapeError
/// when a function gives an array of another shape.
template <class T, class Forward, class Backward>
auto xtensor_op(std::string name, Forward forward, Backward backward, ShapeRule shape = detail::broadcast_all,
                std::source_location where = std::source_location::current()) {
  using Functions = detail::XtensorFunctions<Forward, Backward>;
  auto functions = std::make_shared<const Functions>(
      Functions{std::move(name), std::move(shape), std::move(forward), std::move(backward)});
  return [functions, where](const auto&... operands) {
    const SourceScope scope(where);
    const Tensors inputs{Operand(operands).tensor(dtype_of<T>(), functions->name)...};
    return apply_op(detail::XtensorForward<T, sizeof...(operands), Functions>{functions}, Inputs(inputs), where);
  };
}

}  // namespace xgrad
