#pragma once

#include <cstdint>

#include "autograd/graph/tensor.hpp"

/// \file
/// What a function uses from outside. Not installed.

namespace xgrad::detail {

/// Where that is computed which a call of a function makes and which does not depend on its arguments.
enum class Invariants : std::uint8_t {
  inside,   ///< with the rest, for the function may not run
  outside,  ///< once, before the function runs many times; but for what has an effect, or may throw
};

/// What a call of a function used and did not compute, or what is to be computed outside of it.
struct Captured {
  Tensors tensors;           ///< older ones, contents of variables, large constants, and what is the same in every call
  bool found_nodes = false;  ///< whether anything is left that the call computed
};

/// \param roots what the call gave, and its effects. \param arguments tensors of nodes that were made for the call.
/// \param begin what Node::next() was before the call.
Captured find_captured(const Tensors& roots, const Tensors& arguments, std::uint64_t begin, Invariants invariants);

}  // namespace xgrad::detail
