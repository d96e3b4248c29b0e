#include "onnx/elements.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "autograd/runtime/error.hpp"
#include "tests/testing.hpp"

namespace xgrad {

BOOST_AUTO_TEST_SUITE(onnx_elements)

namespace {

using onnx::proto::TensorProto;

TensorProto raw_tensor(TensorProto::DataType type, const std::vector<std::int64_t>& sizes, const std::string& raw) {
  TensorProto tensor;
  tensor.set_name("weights");
  tensor.set_data_type(type);
  for (const std::int64_t size : sizes) {
    tensor.add_dims(size);
  }
  tensor.set_raw_data(raw);
  return tensor;
}

void check(const TensorProto& tensor, DType dtype, const Shape& shape, const std::vector<double>& expected) {
  const Array array = onnx::to_array("load", tensor);
  BOOST_TEST(array.dtype() == dtype);
  testing::check_elements(Tensor(array), shape, expected);
}

}  // namespace

BOOST_AUTO_TEST_CASE(arrays_of_every_dtype_come_back) {
  for (const DType dtype : testing::every_dtype) {
    const Tensor tensor = testing::make_tensor({0, 1, 1, 0, 0, 1}, {2, 3}, dtype);
    const TensorProto written = onnx::to_tensor(tensor.array(), "weights");
    BOOST_TEST(written.name() == "weights");
    BOOST_TEST(onnx::name_of(written.data_type()) == to_string(dtype));
    if (dtype == DType::bfloat16) {  // which models that come back compute with
      check(written, DType::float32, {2, 3}, {0, 1, 1, 0, 0, 1});
      continue;
    }
    BOOST_TEST((onnx::dtype_of(written.data_type()) == dtype));
    check(written, dtype, {2, 3}, {0, 1, 1, 0, 0, 1});
  }
}

BOOST_AUTO_TEST_CASE(smaller_types_become_wider_ones) {
  using namespace std::string_literals;
  check(raw_tensor(TensorProto::INT8, {2}, "\xff\x05"), DType::int32, {2}, {-1, 5});
  check(raw_tensor(TensorProto::UINT16, {1}, "\xff\xff"), DType::int32, {1}, {65535});
  check(raw_tensor(TensorProto::INT16, {1}, "\xfe\xff"), DType::int32, {1}, {-2});
  check(raw_tensor(TensorProto::UINT32, {1}, "\xff\xff\xff\xff"), DType::int64, {1}, {4294967295.0});
  check(raw_tensor(TensorProto::FLOAT16, {2}, "\x00\x3c\x00\xc1"s), DType::float32, {2}, {1, -2.5});
  check(raw_tensor(TensorProto::BFLOAT16, {2}, "\x80\x3f\x20\xc0"), DType::float32, {2}, {1, -2.5});
  check(raw_tensor(TensorProto::BOOL, {2}, "\x02\x00"s), DType::boolean, {2}, {1, 0});
}

BOOST_AUTO_TEST_CASE(elements_stand_in_lists_too) {
  TensorProto tensor = raw_tensor(TensorProto::FLOAT, {2}, "");
  tensor.clear_raw_data();
  tensor.add_float_data(1.5F);
  tensor.add_float_data(-2);
  check(tensor, DType::float32, {2}, {1.5, -2});
  tensor.set_data_type(TensorProto::INT32);
  tensor.add_int32_data(7);
  tensor.add_int32_data(-8);
  check(tensor, DType::int32, {2}, {7, -8});
  tensor.set_data_type(TensorProto::FLOAT16);
  tensor.set_int32_data(0, 0x3c00);
  tensor.set_int32_data(1, 0xc100);
  check(tensor, DType::float32, {2}, {1, -2.5});
  tensor.set_data_type(TensorProto::INT64);
  tensor.add_int64_data(-9);
  tensor.add_int64_data(10);
  check(tensor, DType::int64, {2}, {-9, 10});
  tensor.set_data_type(TensorProto::DOUBLE);
  tensor.add_double_data(0.1);
  tensor.add_double_data(0.2);
  check(tensor, DType::float64, {2}, {0.1, 0.2});
}

BOOST_AUTO_TEST_CASE(damaged_tensors_are_refused_by_name) {
  const auto refuses = [](const TensorProto& tensor, std::string_view what) {
    testing::check_throws<FileError>([&] { onnx::to_array("load", tensor); }, {"[load] tensor `weights`", what});
  };
  refuses(raw_tensor(TensorProto::FLOAT, {2}, "1234"), "has shape (2,) and 1 elements");
  refuses(raw_tensor(TensorProto::FLOAT, {1}, "123456"), "a part of");
  refuses(raw_tensor(TensorProto::FLOAT, {-1}, ""), "negative");
  refuses(raw_tensor(TensorProto::UINT8, {std::int64_t{1} << 40, std::int64_t{1} << 40}, ""), "too large");
  refuses(raw_tensor(TensorProto::STRING, {1}, "abcd"), "string");
  refuses(raw_tensor(TensorProto::COMPLEX64, {1}, "12345678"), "complex64");
  TensorProto unknown = raw_tensor(TensorProto::FLOAT, {1}, "1234");
  unknown.set_data_type(77);
  refuses(unknown, "type 77");
  TensorProto elsewhere = raw_tensor(TensorProto::FLOAT, {1}, "");
  elsewhere.set_data_location(TensorProto::EXTERNAL);
  refuses(elsewhere, "another file");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace xgrad
