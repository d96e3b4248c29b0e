#pragma once

#include <source_location>
#include <utility>

#include "autograd/graph/results.hpp"
#include "autograd/graph/subprogram.hpp"
#include "autograd/transforms/aliases.hpp"

/// \file
/// Less memory for one more evaluation.

namespace xgrad {

namespace detail {

/// \p outputs, which a function computed from \p arguments, as results of one operation that runs the function.
Tensors checkpointed(const Tensors& outputs, const FreshAliases& arguments);

/// The results of \p program on \p inputs, of which derivatives keep nothing but the inputs.
Tensors run_again_for_derivatives(const Ref<const SubProgram>& program, const Tensors& inputs,
                                  const std::source_location& where);

}  // namespace detail

/// The function \p f, whose intermediate results are not kept for the backward pass but computed again there: less
/// memory for one more evaluation. Derivatives are the same. \p f is called once per call; it returns a Tensor, Tensors, a
/// std::pair, std::tuple or std::array of these. Effects in it, such as debug::print, happen once.
/// \throws ValueError when an operation in it has an effect and results of its own.
template <class F>
auto checkpoint(F f, std::source_location where = std::source_location::current()) {
  return [f = std::move(f), where](const auto&... arguments) {
    const detail::FreshAliases fresh(where, arguments...);
    return detail::with_tensors_replaced(detail::call_for_results<sizeof...(arguments)>(f, fresh.tensors()),
                                         [&](const Tensors& outputs) { return detail::checkpointed(outputs, fresh); });
  };
}

}  // namespace xgrad
