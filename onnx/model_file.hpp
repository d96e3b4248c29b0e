#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "model.pb.h"

/// \file
/// Internal: ONNX files, whole.

namespace xgrad::onnx {

/// The message in the file \p path. Nothing is known of it but that protobuf could read it and that it has a graph.
/// \param op the function the user called, for messages. \throws FileError when it is missing or damaged.
proto::ModelProto read_model(std::string_view op, const std::filesystem::path& path);

/// Writes the file \p path, which appears complete or not at all.
/// \throws FileError when that fails. \throws ValueError for more than the 2 GiB that protobuf's messages can have.
void write_model(std::string_view op, const std::filesystem::path& path, const proto::ModelProto& model);

/// The version of ONNX's own operators that \p model asks for; 1 when it says none, as the specification has it.
std::int64_t opset_of(const proto::ModelProto& model);

}  // namespace xgrad::onnx
