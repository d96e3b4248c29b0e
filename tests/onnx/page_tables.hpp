#pragma once

#include <string>

/// \file
/// Tables in docs/onnx.md that are made from the code.

namespace xgrad::testing {

/// Whether \p made is what stands on the page between the marks of \p name, `<!-- NAME: written by script/onnx_tables -->` and
/// `<!-- end of NAME -->`. With XGRAD_WRITE_ONNX_TABLES in the environment it is written there first.
void check_tables(const std::string& name, const std::string& made);

}  // namespace xgrad::testing
