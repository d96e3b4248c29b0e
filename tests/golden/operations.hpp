#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "autograd/graph/tensor.hpp"
#include "tests/golden/entries.hpp"

/// \file
/// How the ops that reference values name are called.

namespace xgrad::golden {

/// The op on the inputs of a case, with the attributes that it asks for.
using OpCall = std::function<Tensor(const Tensors& inputs, Entries& attributes)>;

/// How many operands an op takes, and how it is called with them.
struct Op {
  std::size_t operands;  ///< any_number, or how many there are at least
  OpCall call;
  std::size_t optional = 0;  ///< how many more there may be
};
inline constexpr std::size_t any_number = 0;

/// Ops by the names that the files give them.
using OpTable = std::map<std::string_view, Op>;

/// The ops of a network: losses and layers.
OpTable network_ops();

/// Calls the op of a case.
/// \throws FileError for an op, a number of inputs or an attribute that is not known; and what the op throws.
Tensor call_op(const std::string& op, const Tensors& inputs, Entries& attributes);

}  // namespace xgrad::golden
