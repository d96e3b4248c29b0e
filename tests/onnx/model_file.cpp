#include "onnx/model_file.hpp"

#include <filesystem>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "autograd/ops/ops.hpp"
#include "onnx/elements.hpp"
#include "onnx/version.hpp"
#include "tests/onnx/validity.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(onnx_model_file)

namespace {

const std::filesystem::path path = std::filesystem::temp_directory_path() / "xgrad_tests_model_file.onnx";

void describe(onnx::proto::ValueInfoProto& value, const std::string& name) {
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::element_type(DType::float32));
  tensor.mutable_shape()->add_dim()->set_dim_value(3);
}

/// y = x + w.
onnx::proto::ModelProto sum_model() {
  onnx::proto::ModelProto model;
  model.set_ir_version(onnx::ir_version);
  model.add_opset_import()->set_version(onnx::opset);
  onnx::proto::GraphProto& graph = *model.mutable_graph();
  graph.set_name("sum");
  describe(*graph.add_input(), "x");
  describe(*graph.add_output(), "y");
  *graph.add_initializer() = onnx::to_tensor(Tensor(full({3}, 2, DType::float32)).array(), "w");
  onnx::proto::NodeProto& node = *graph.add_node();
  node.set_op_type("Add");
  node.add_input("x");
  node.add_input("w");
  node.add_output("y");
  return model;
}

void write_bytes(std::string_view bytes) { std::ofstream(path, std::ios::binary) << bytes; }

}  // namespace

BOOST_AUTO_TEST_CASE(a_model_is_written_and_read) {
  const auto model = sum_model();
  onnx::write_model("save", path, model);
  testing::check_valid(path);
  const auto again = onnx::read_model("load", path);
  BOOST_TEST(again.SerializeAsString() == model.SerializeAsString());
  BOOST_TEST(onnx::opset_of(again) == 17);
  std::filesystem::remove(path);
}

BOOST_AUTO_TEST_CASE(damaged_files_are_refused) {
  using testing::check_throws;
  const auto read = [] { onnx::read_model("load", path); };
  check_throws<FileError>(read, {"[load]", "xgrad_tests_model_file.onnx"});
  write_bytes("");
  check_throws<FileError>(read, {"[load]", "expected an ONNX model"});
  write_bytes("not a model at all");
  check_throws<FileError>(read, {"[load]", "expected an ONNX model"});
  write_bytes("\x08\x08");  // ir_version alone
  check_throws<FileError>(read, {"[load]", "without a graph"});
  const std::string whole = sum_model().SerializeAsString();
  write_bytes(std::string_view(whole).substr(0, whole.size() - 3));
  check_throws<FileError>(read, {"[load]", "expected an ONNX model"});
  std::filesystem::remove(path);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
