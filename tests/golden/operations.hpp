#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "autograd/tensor.hpp"
#include "tests/golden/entries.hpp"

/// \file
/// How the ops that reference values name are called.

namespace xgrad::golden {

/// The op on the inputs of a case, with the attributes that it asks for.
using OpCall = std::function<Tensor(const Tensors& inputs, Entries& attributes)>;

/// Calls the op of a case.
/// \throws FileError for an op, a number of inputs or an attribute that is not known; and what the op throws.
Tensor call_op(const std::string& op, const Tensors& inputs, Entries& attributes);

}  // namespace xgrad::golden
