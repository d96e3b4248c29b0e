#pragma once

#include <cstdint>
#include <string>

#include "autograd/graph/node.hpp"

/// \file
/// Graphs with other tensors in the place of some.

namespace xgrad {

/// A tensor without a value: it stands for one that is given later, by substitute.
/// \param reader what to say when somebody asks for its value, such as `vmap`.
Tensor placeholder(const Spec& spec, const std::string& reader);

namespace detail {

/// The same with effects, which the caller lets happen.
Tensors substitute_with_effects(const Tensors& outputs, const Tensors& originals, const Tensors& replacements);

/// What substitute does, but effects of nodes that are not older than \p begin, which Node::next() was, happen in what is
/// given.
Tensors substitute_with_effects_since(std::uint64_t begin, const Tensors& outputs, const Tensors& originals,
                                      const Tensors& replacements);

/// A placeholder for an argument of a function that is going on.
Tensor placeholder(const Spec& spec, const std::string& reader, const Scope* scope);

}  // namespace detail

/// The tensors \p outputs computed anew, with \p replacements in place of \p originals. Nodes that do not depend on the
/// originals are shared, the others are made again. Effects do not happen again: what an effect gives on is its input.
/// \throws ValueError when an operation that is made again has an effect and results of its own.
Tensors substitute(const Tensors& outputs, const Tensors& originals, const Tensors& replacements);

}  // namespace xgrad
