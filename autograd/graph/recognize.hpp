#pragma once

#include "autograd/graph/node.hpp"

/// \file
/// For internal use: nodes of which transformations, plans and printing know what they mean. They are told by their
/// type, for operations of users' own may have any name. Each function stands beside its operation.

namespace xgrad::detail {

bool is_constant(const Node& node);     ///< elements that were given
bool is_placeholder(const Node& node);  ///< stands for values that come later

bool is_compiled_result(const Node& node);  ///< elements without history

}  // namespace xgrad::detail
