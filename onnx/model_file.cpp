#include "onnx/model_file.hpp"

#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/output_file.hpp"
#include "datasets/random_access_file.hpp"

namespace xgrad::onnx {

namespace {

// Sizes in protobuf's messages are of type int.
constexpr std::uint64_t most_bytes = std::numeric_limits<std::int32_t>::max();

}  // namespace

proto::ModelProto read_model(std::string_view op, const std::filesystem::path& path) {
  const datasets::RandomAccessFile file(op, path);
  if (file.size() > most_bytes) {
    file.fail("an ONNX model of at most 2 GiB", phrase("{} bytes", file.size()), "export a smaller model");
  }
  std::string bytes(file.size(), '\0');
  file.read(0, std::as_writable_bytes(std::span(bytes)));
  proto::ModelProto model;
  if (bytes.empty() || !model.ParseFromString(bytes)) {
    file.fail("an ONNX model", phrase("{} bytes that are none", bytes.size()), "export or fetch the file again");
  }
  if (!model.has_graph()) {
    file.fail("an ONNX model", "a message without a graph", "export or fetch the file again");
  }
  return model;
}

void write_model(std::string_view op, const std::filesystem::path& path, const proto::ModelProto& model) {
  const std::uint64_t size = model.ByteSizeLong();
  if (size > most_bytes) {
    raise<ValueError>(
        op, phrase("the model takes {} bytes, and an ONNX file has 2 GiB at most; save its parts as models", size));
  }
  const std::string bytes = model.SerializeAsString();
  datasets::OutputFile file(op, path);
  file.write(bytes);
  file.publish();
}

std::int64_t opset_of(const proto::ModelProto& model) {
  for (const proto::OperatorSetIdProto& set : model.opset_import()) {
    if (set.domain().empty() || set.domain() == "ai.onnx") {
      return set.version();
    }
  }
  return 1;
}

}  // namespace xgrad::onnx
