#include "tests/onnx/validity.hpp"

#include <exception>
#include <fstream>

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>
#include <boost/test/unit_test.hpp>

namespace xgrad::testing {

void check_valid(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  ::onnx::ModelProto model;
  BOOST_REQUIRE(model.ParseFromIstream(&file));
  try {
    ::onnx::checker::check_model(model);
    ::onnx::ShapeInferenceOptions strict(true, 1, false);
    ::onnx::shape_inference::InferShapes(model, ::onnx::OpSchemaRegistry::Instance(), strict);
  } catch (const std::exception& error) {
    BOOST_ERROR(path << ": " << error.what());
  }
}

}  // namespace xgrad::testing
