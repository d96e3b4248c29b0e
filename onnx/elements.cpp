#include "onnx/elements.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <limits>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/half.hpp"
#include "datasets/quoted.hpp"

namespace xgrad::onnx {

namespace {

using proto::TensorProto;

static_assert(std::endian::native == std::endian::little, "elements are written as they are in memory");

/// One of ONNX's element types.
struct ElementType {
  TensorProto::DataType number;
  std::string_view name;
  std::size_t bytes = 0;                      // of an element in raw_data
  std::optional<DType> dtype = std::nullopt;  // what its elements become; none when they become nothing
  bool exact = false;                         // whether ours is the same type
};

constexpr std::array element_types = {
    ElementType{TensorProto::FLOAT, "float32", 4, DType::float32, true},
    ElementType{TensorProto::UINT8, "uint8", 1, DType::uint8, true},
    ElementType{TensorProto::INT8, "int8", 1, DType::int32},
    ElementType{TensorProto::UINT16, "uint16", 2, DType::int32},
    ElementType{TensorProto::INT16, "int16", 2, DType::int32},
    ElementType{TensorProto::INT32, "int32", 4, DType::int32, true},
    ElementType{TensorProto::INT64, "int64", 8, DType::int64, true},
    ElementType{TensorProto::STRING, "string"},
    ElementType{TensorProto::BOOL, "boolean", 1, DType::boolean, true},
    ElementType{TensorProto::FLOAT16, "float16", 2, DType::float32},
    ElementType{TensorProto::DOUBLE, "float64", 8, DType::float64, true},
    ElementType{TensorProto::UINT32, "uint32", 4, DType::int64},
    ElementType{TensorProto::UINT64, "uint64"},
    ElementType{TensorProto::COMPLEX64, "complex64"},
    ElementType{TensorProto::COMPLEX128, "complex128"},
    ElementType{TensorProto::BFLOAT16, "bfloat16", 2, DType::float32},
};

const ElementType* find_type(std::int32_t number) {
  for (const ElementType& type : element_types) {
    if (type.number == number) {
      return &type;
    }
  }
  return nullptr;
}

float from_bfloat16(std::uint16_t bits) { return BFloat16::from_bits(bits); }

/// The same from an int32 that holds the bits.
template <class F>
auto bits_of(F from_bits) {
  return [from_bits](std::int32_t bits) { return from_bits(static_cast<std::uint16_t>(bits)); };
}

/// What is read of one tensor, and what errors call it.
class Reader {
 public:
  Reader(std::string_view op, const TensorProto& tensor) : op_(op), tensor_(tensor) {}

  Array read() const {
    const ElementType* type = find_type(tensor_.data_type());
    if (type == nullptr || !type->dtype) {
      fail(phrase("has elements of {}, which tensors cannot hold", name_of(tensor_.data_type())));
    }
    if (tensor_.data_location() == TensorProto::EXTERNAL) {
      fail("has its elements in another file");
    }
    const Shape shape = this->shape();
    return tensor_.has_raw_data() ? from_raw(*type, shape) : from_lists(*type, shape);
  }

 private:
  /// Of a size that multiplies without overflow, as much of it as is there.
  Shape shape() const {
    Shape shape;
    std::int64_t count = 1;
    for (const std::int64_t size : tensor_.dims()) {
      if (size < 0 || (size > 0 && count > std::numeric_limits<std::int32_t>::max() / size)) {
        fail("has sizes that are negative or too large for an ONNX file");
      }
      count *= size;
      shape.push_back(size);
    }
    return shape;
  }

  Array from_raw(const ElementType& type, const Shape& shape) const {
    const std::string& raw = tensor_.raw_data();
    require_count(shape, raw.size() / type.bytes, raw.size() % type.bytes == 0);
    switch (type.number) {
      case TensorProto::INT8: return raw_as<std::int8_t, std::int32_t>(shape);
      case TensorProto::UINT16: return raw_as<std::uint16_t, std::int32_t>(shape);
      case TensorProto::INT16: return raw_as<std::int16_t, std::int32_t>(shape);
      case TensorProto::UINT32: return raw_as<std::uint32_t, std::int64_t>(shape);
      case TensorProto::FLOAT16: return raw_as<std::uint16_t, float>(shape, datasets::from_half);
      case TensorProto::BFLOAT16: return raw_as<std::uint16_t, float>(shape, from_bfloat16);
      case TensorProto::BOOL: return raw_as<std::uint8_t, bool>(shape);
      default: break;
    }
    Array elements(shape, *type.dtype);
    if (!raw.empty()) {
      std::memcpy(elements.data(), raw.data(), raw.size());
    }
    return elements;
  }

  Array from_lists(const ElementType& type, const Shape& shape) const {
    switch (type.number) {
      case TensorProto::FLOAT: return list_as<float>(shape, tensor_.float_data());
      case TensorProto::DOUBLE: return list_as<double>(shape, tensor_.double_data());
      case TensorProto::INT64: return list_as<std::int64_t>(shape, tensor_.int64_data());
      case TensorProto::UINT32: return list_as<std::int64_t>(shape, tensor_.uint64_data());
      case TensorProto::FLOAT16: return list_as<float>(shape, tensor_.int32_data(), bits_of(datasets::from_half));
      case TensorProto::BFLOAT16: return list_as<float>(shape, tensor_.int32_data(), bits_of(from_bfloat16));
      case TensorProto::BOOL: return list_as<bool>(shape, tensor_.int32_data());
      case TensorProto::UINT8: return list_as<std::uint8_t>(shape, tensor_.int32_data());
      default: return list_as<std::int32_t>(shape, tensor_.int32_data());
    }
  }

  template <class From, class To, class Convert>
  Array raw_as(const Shape& shape, Convert convert) const {
    Array elements(shape, xgrad::dtype_of<To>());
    To* out = elements.data<To>();
    const char* in = tensor_.raw_data().data();
    for (std::int64_t i = 0; i < elements.size(); ++i, in += sizeof(From)) {
      From element;
      std::memcpy(&element, in, sizeof(From));
      out[i] = convert(element);
    }
    return elements;
  }

  template <class From, class To>
  Array raw_as(const Shape& shape) const {
    return raw_as<From, To>(shape, [](From element) { return static_cast<To>(element); });
  }

  template <class To, class List, class Convert>
  Array list_as(const Shape& shape, const List& list, Convert convert) const {
    require_count(shape, static_cast<std::size_t>(list.size()), true);
    Array elements(shape, xgrad::dtype_of<To>());
    To* out = elements.data<To>();
    for (const auto element : list) {
      *out++ = convert(element);
    }
    return elements;
  }

  template <class To, class List>
  Array list_as(const Shape& shape, const List& list) const {
    return list_as<To>(shape, list, [](auto element) { return static_cast<To>(element); });
  }

  void require_count(const Shape& shape, std::size_t count, bool whole) const {
    if (!whole || count != static_cast<std::size_t>(shape.element_count())) {
      fail(phrase("has shape {} and {}{} elements", to_string(shape), count, whole ? "" : " and a part of"));
    }
  }

  [[noreturn]] void fail(std::string_view what) const {
    raise<FileError>(op_,
                     phrase("tensor {} {}; export the model again, with elements in it, of a type that tensors have",
                            datasets::backticked(tensor_.name()), what));
  }

  std::string_view op_;
  const TensorProto& tensor_;
};

}  // namespace

TensorProto::DataType element_type(DType dtype) {
  switch (dtype) {
    case DType::boolean: return TensorProto::BOOL;
    case DType::uint8: return TensorProto::UINT8;
    case DType::int32: return TensorProto::INT32;
    case DType::int64: return TensorProto::INT64;
    case DType::bfloat16: return TensorProto::BFLOAT16;  // although it is read as float32, with which models compute
    case DType::float32: return TensorProto::FLOAT;
    case DType::float64: return TensorProto::DOUBLE;
  }
  __builtin_unreachable();
}

std::optional<DType> dtype_of(std::int32_t element_type) {
  const ElementType* type = find_type(element_type);
  return type != nullptr && type->exact ? type->dtype : std::nullopt;
}

std::optional<DType> held_dtype_of(std::int32_t element_type) {
  const ElementType* type = find_type(element_type);
  return type != nullptr ? type->dtype : std::nullopt;
}

std::string name_of(std::int32_t element_type) {
  const ElementType* type = find_type(element_type);
  return type != nullptr ? std::string(type->name) : phrase("type {}", element_type);
}

Array to_array(std::string_view op, const TensorProto& tensor) { return Reader(op, tensor).read(); }

TensorProto to_tensor(const Array& array, std::string_view name) {
  TensorProto tensor;
  tensor.set_name(std::string(name));
  tensor.set_data_type(element_type(array.dtype()));
  for (const std::int64_t size : array.shape()) {
    tensor.add_dims(size);
  }
  tensor.set_raw_data(array.data(), array.bytes());
  return tensor;
}

}  // namespace xgrad::onnx
