#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "autograd/array/array.hpp"
#include "autograd/array/dtype.hpp"
#include "model.pb.h"

/// \file
/// Internal: element types and arrays, ONNX's and ours.

namespace xgrad::onnx {

/// The number by which ONNX calls \p dtype.
proto::TensorProto::DataType element_type(DType dtype);
/// The dtype that ONNX calls \p element_type, if we have it.
std::optional<DType> dtype_of(std::int32_t element_type);
/// The dtype that elements of ONNX's \p element_type are held in: a wider one for some that we have not, as to_array says.
std::optional<DType> held_dtype_of(std::int32_t element_type);
/// What people call \p element_type, such as `float16`; `type 77` for a number that the specification does not know.
std::string name_of(std::int32_t element_type);

/// The elements of \p tensor, from whichever of its fields has them. float16 and bfloat16, of which every value is a
/// float32, become that; int8, int16 and uint16 become int32, uint32 int64.
/// \param op the function the user called, for messages.
/// \throws FileError naming the tensor: for other types, negative sizes, elements in another file, and where the number
/// of elements is not what the shape says. Nothing is allocated before that is known.
Array to_array(std::string_view op, const proto::TensorProto& tensor);

/// The elements of \p array as ONNX's initialisers have them.
proto::TensorProto to_tensor(const Array& array, std::string_view name);

}  // namespace xgrad::onnx
