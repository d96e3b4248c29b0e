#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "onnx/import/graph.hpp"

namespace xgrad::onnx::proto {
class ModelProto;
}

/// \file
/// Internal: from protobuf's messages to a graph.

namespace xgrad::onnx::loading {

/// The newest set of ONNX's operators whose meaning the table knows.
inline constexpr std::int64_t newest_opset = 22;

/// The graph of a model. Everything that can be known before a call is checked: that each value is there before it is read,
/// once; that operators and element types are known, and nodes have as many inputs as their operators take.
/// \param op the function the user called, and \p file the file, for messages.
/// \throws FileError for what is no right graph.
/// \throws ValueError naming everything that is not supported, each with how many nodes have it and the first of them.
Graph read_graph(std::string_view op, const std::string& file, const proto::ModelProto& model);

}  // namespace xgrad::onnx::loading
