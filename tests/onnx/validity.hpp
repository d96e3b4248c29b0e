#pragma once

#include <filesystem>

/// \file
/// What ONNX's own library says of files.

namespace xgrad::testing {

/// Fails the test case, with the reason, where ONNX's checker or its shape inference, in its strict mode, does not accept
/// the file.
void check_valid(const std::filesystem::path& path);

}  // namespace xgrad::testing
