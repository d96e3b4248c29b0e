#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "autograd/graph/scope.hpp"
#include "autograd/graph/tensor.hpp"

/// \file
/// New names for arguments, so that nested transformations cannot confuse their variables.

namespace xgrad {

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
  std::uint64_t begin() const { return begin_; }  ///< of the nodes that are made afterwards

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
  std::uint64_t begin_;
};

/// The argument with that number. \throws ValueError `[op]` when there are fewer.
const Tensor& numbered_argument(std::string_view op, const Tensors& arguments, std::size_t number,
                                const std::source_location& where);

}  // namespace detail

}  // namespace xgrad
