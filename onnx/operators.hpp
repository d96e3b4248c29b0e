#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "onnx/call.hpp"

/// \file
/// Internal: the table of operations that are written, by their names.

namespace xgrad::onnx {

/// Writes one operation, and returns the names of its outputs.
using Emitter = std::vector<std::string> (*)(const Call& call);

/// A row of the table.
struct OperatorRow {
  std::string_view name;       ///< of the operation
  int since;                   ///< the smallest opset in which what is written means this
  std::string_view operators;  ///< what is written, for people
  Emitter emit;                ///< null for those that run others, which GraphEmitter writes
};

/// The row of the operation called \p name, or null.
const OperatorRow* find_operator(std::string_view name);
/// All rows, by name.
const std::vector<OperatorRow>& operator_rows();

/// The names of operations that are refused, and why.
std::vector<std::pair<std::string_view, std::string_view>> refused_operators();
/// Why operations called \p name cannot be written; empty where nothing is known of them.
std::string_view known_refusal(std::string_view name);

/// \name The rows by family \{
std::vector<OperatorRow> layout_operators();
std::vector<OperatorRow> reduction_operators();
std::vector<OperatorRow> index_operators();
/// \}

}  // namespace xgrad::onnx
