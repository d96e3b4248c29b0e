#pragma once

#include <initializer_list>
#include <string_view>
#include <type_traits>

#include "autograd/ops/permanent_map.hpp"

/// \file
/// How elementwise ops are made from their formulas.

namespace xgrad {

/// A named formula, made once together with its operation, applied to the operands.
template <class F>
Tensor elementwise(std::string_view name, std::initializer_list<Operand> operands, const F& f) {
  static_assert(std::is_empty_v<F>, "one static formula per op; give parameters as in elu");
  static const AnyOperation* const operation = detail::permanent_map(Formula(f, name));
  return detail::apply_map(*operation, operands);
}

}  // namespace xgrad
