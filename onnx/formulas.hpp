#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "onnx/call.hpp"

/// \file
/// Internal: elementwise mathematics as nodes.

namespace xgrad::onnx {

/// Writes a `map`: the steps of its formula one by one, in the dtype that it computes in; formulas that ONNX has an
/// operator for, or that runtimes know a form of, as these. Returns the names of its outputs.
std::vector<std::string> write_map(const Call& call);

/// The names of the formulas that have a form of their own, and of the operators that it is made of.
std::vector<std::pair<std::string_view, std::string_view>> formula_forms();

}  // namespace xgrad::onnx
