#pragma once

#include <cstdint>

/// \file
/// Which versions of ONNX's specification the project follows.

/// Models as ONNX files, and back.
namespace xgrad::onnx {

/// The set of operators that written models use.
inline constexpr std::int64_t opset = 17;
/// The version of the format of written files.
inline constexpr std::int64_t ir_version = 8;

}  // namespace xgrad::onnx
