#include "tests/onnx/small_model.hpp"

#include "onnx/elements.hpp"
#include "onnx/model_file.hpp"

namespace xgrad::onnx::tests {

namespace {

proto::AttributeProto& add(proto::NodeProto& node, const std::string& name, proto::AttributeProto::AttributeType type) {
  proto::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

}  // namespace

SmallModel::SmallModel(std::int64_t opset) {
  model_.set_ir_version(8);
  model_.add_opset_import()->set_version(opset);
  model_.mutable_graph()->set_name("small");
}

SmallModel& SmallModel::input(const std::string& name, DType dtype) {
  proto::ValueInfoProto& value = *model_.mutable_graph()->add_input();
  value.set_name(name);
  value.mutable_type()->mutable_tensor_type()->set_elem_type(element_type(dtype));
  return *this;
}

SmallModel& SmallModel::initializer(const std::string& name, const Tensor& value) {
  *model_.mutable_graph()->add_initializer() = to_tensor(value.array(), name);
  return *this;
}

SmallModel& SmallModel::output(const std::string& name) {
  model_.mutable_graph()->add_output()->set_name(name);
  return *this;
}

proto::NodeProto& SmallModel::node(const std::string& type, const std::vector<std::string>& inputs,
                                   const std::vector<std::string>& outputs) {
  proto::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type(type);
  for (const std::string& name : inputs) {
    node.add_input(name);
  }
  for (const std::string& name : outputs) {
    node.add_output(name);
  }
  return node;
}

void SmallModel::write(const std::filesystem::path& path) const { write_model("small_model", path, model_); }

void set(proto::NodeProto& node, const std::string& name, std::int64_t value) {
  add(node, name, proto::AttributeProto::INT).set_i(value);
}

void set(proto::NodeProto& node, const std::string& name, double value) {
  add(node, name, proto::AttributeProto::FLOAT).set_f(static_cast<float>(value));
}

void set(proto::NodeProto& node, const std::string& name, const std::string& value) {
  add(node, name, proto::AttributeProto::STRING).set_s(value);
}

void set(proto::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values) {
  proto::AttributeProto& attribute = add(node, name, proto::AttributeProto::INTS);
  for (const std::int64_t value : values) {
    attribute.add_ints(value);
  }
}

}  // namespace xgrad::onnx::tests
