#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// \file
/// ONNX's own conformance cases: folders of a model and what it gives,
/// https://github.com/onnx/onnx/blob/main/docs/OnnxBackendTest.md.

namespace xgrad::onnx::tests {

/// The folders at and below \p folder that are cases, by name.
std::vector<std::filesystem::path> cases_in(const std::filesystem::path& folder);

/// What is wrong with what the model of a case gives; empty when it agrees on all data sets.
std::string disagreement(const std::filesystem::path& folder);

}  // namespace xgrad::onnx::tests
