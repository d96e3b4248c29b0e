#pragma once

#include <string>
#include <vector>

#include "autograd/graph/node.hpp"
#include "autograd/graph/subprogram.hpp"
#include "autograd/graph/walks.hpp"

/// \file
/// Internal: what printed and drawn graphs say of a node.

namespace xgrad::detail {

/// A constant of one element, which stands in the calls that use it.
bool is_number(const Node& node);
/// The nodes to be shown, numbered in the order in which they are computed; numbers stand in the calls that use them.
NodeNumbers shown_numbers(const TopologicalOrder& order);

std::string operand_text(const Tensor& tensor, const NodeNumbers& numbers);  ///< `%1`, `%1.2` of several, or a number
std::string call_text(const Node& node, const NodeNumbers& numbers);         ///< `matmul(%1, %0) transpose_b=true`
std::string specs_text(const Node& node);                                    ///< `float32(3,), int64()`
std::string source_text(const Node& node);                                   ///< `main.cpp:12`, or nothing

/// Those among the attributes of an operation that do not follow from others.
std::vector<NamedProgram> shown_programs(const AnyOperation& operation);

}  // namespace xgrad::detail
