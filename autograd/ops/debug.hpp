#pragma once

#include <array>
#include <concepts>
#include <source_location>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "autograd/graph/tensor.hpp"

/// \file
/// Looking at tensors while a function runs.

/// Tools for finding mistakes.
namespace xgrad::debug {

/// A text with a `{}` for each tensor, and the place in the user's source where it stands.
struct Format {
  /// From a string; \p where is filled in by itself.
  template <std::convertible_to<std::string> S>
  Format(const S& string, std::source_location place = std::source_location::current()) : text(string), where(place) {}

  std::string text;            ///< `loss {:.4f}, weights {}`
  std::source_location where;  ///< where the user wrote it
};

/// What print does, for a list of operands.
Tensor print_all(const Format& format, std::span<const Operand> operands);

/// Prints a line to the standard output: `debug::print("loss {}, weights {}", loss, w)`.
///
/// In a function that compile() traces, the line is printed whenever the function runs, with the elements of that run, in
/// program order; under vmap, once, with the elements of all samples. Derivatives pass through and print nothing.
/// \param format a text in which `{}`, or `{:.3f}` with a format for each number as in std::format, stands for the next
/// tensor; `{{` and `}}` print braces.
/// \return the first of the tensors, or an undefined one where there is none.
/// \throws ValueError when the text does not name as many tensors as there are, or has a format that numbers do not have.
template <std::convertible_to<Operand>... T>
Tensor print(const Format& format, T&&... tensors) {
  const std::array<Operand, sizeof...(T)> operands{Operand(std::forward<T>(tensors), format.where)...};
  return print_all(format, operands);
}

}  // namespace xgrad::debug
