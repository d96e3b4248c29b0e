#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "autograd/graph/tensor.hpp"
#include "model.pb.h"

/// \file
/// Models of a few nodes, as files of theirs begin.

namespace xgrad::onnx::tests {

/// A model that is put together node by node.
class SmallModel {
 public:
  explicit SmallModel(std::int64_t opset = 17);

  /// An input of any shape.
  SmallModel& input(const std::string& name, DType dtype = DType::float32);
  SmallModel& initializer(const std::string& name, const Tensor& value);
  SmallModel& output(const std::string& name);
  /// A node; its attributes are added to what this returns.
  proto::NodeProto& node(const std::string& type, const std::vector<std::string>& inputs,
                         const std::vector<std::string>& outputs);

  proto::ModelProto& proto() { return model_; }
  /// As a file.
  void write(const std::filesystem::path& path) const;

 private:
  proto::ModelProto model_;
};

/// \name Attributes
/// \{
void set(proto::NodeProto& node, const std::string& name, std::int64_t value);
void set(proto::NodeProto& node, const std::string& name, double value);
void set(proto::NodeProto& node, const std::string& name, const std::string& value);
void set(proto::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values);
/// \}

}  // namespace xgrad::onnx::tests
