#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "autograd/ops/debug.hpp"
#include "autograd/runtime/error.hpp"

/// \file
/// Looking at tensors, and stopping, while a function runs.

namespace xgrad::debug {

/// What watch shows of a tensor.
enum class Show : std::uint8_t {
  values,      ///< `loss = 0.25`
  range,       ///< `loss: float32(64,) from 0.1 to 3.2`
  statistics,  ///< the same, with mean and standard deviation
};

/// Options of watch.
struct WatchOptions {
  Show show =
      Show::statistics;   ///< what is shown; NaN and infinities are counted apart, the rest is of finite elements
  bool gradient = false;  ///< whether the cotangent is shown as well, as `gradient of NAME`, on the way back
};

/// Prints a line about \p tensor to the standard output whenever it is computed, and gives it on, so that it stands in
/// the middle of an expression: `relu(debug::watch(matmul(x, w), "hidden"))`.
///
/// In a function that compile() traces, that is when the plan runs, in program order with the lines of print; in a loop,
/// in each step; under vmap, once for all samples. Derivatives pass through; with WatchOptions::gradient the cotangent
/// that comes back is shown, too.
/// \param name stands in front of the line.
Tensor watch(const Operand& tensor, std::string_view name, WatchOptions options = {});

/// What break_if throws.
class BreakError : public Error {
 public:
  using Error::Error;
};

/// What break_if does, for a list of operands.
void break_if_any(const Operand& predicate, const Format& format, std::span<const Operand> operands);

/// Throws a BreakError where an element of \p predicate is true: `debug::break_if(loss > 100, "loss {}", loss)`.
///
/// In a function that compile() traces, that happens when the plan runs, before any variable is written; in a loop, in the
/// step in which it comes true; under vmap, for any of the samples. The error has the text with the tensors' elements, the
/// first element of \p predicate that is true, and the line.
/// \param predicate boolean, of any shape.
/// \param format a text with a `{}` for each tensor, as print takes it.
/// \throws DTypeError when \p predicate is not boolean.
/// \throws ValueError as print does.
template <std::convertible_to<Operand>... T>
void break_if(const Operand& predicate, const Format& format, T&&... tensors) {
  const std::array<Operand, sizeof...(T)> operands{Operand(std::forward<T>(tensors), format.where)...};
  break_if_any(predicate, format, operands);
}

}  // namespace xgrad::debug
