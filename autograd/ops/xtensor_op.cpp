#include "autograd/ops/xtensor_op.hpp"

#include "autograd/runtime/phrase.hpp"

namespace xgrad::detail {

Shape broadcast_all(const std::vector<Shape>& shapes) {
  Shape result;
  for (const Shape& shape : shapes) {
    result = broadcast_shapes("xtensor_op", result, shape);
  }
  return result;
}

std::vector<Shape> shapes_of(Inputs inputs) {
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) {
    shapes.push_back(input.shape());
  }
  return shapes;
}

void require_dtype(const std::string& op, Inputs inputs, DType dtype) {
  for (const Tensor& input : inputs) {
    if (input.dtype() != dtype) {
      raise<DTypeError>(
          op, phrase("it is written for {}, got {}; cast the tensor", to_string(dtype), to_string(input.dtype())));
    }
  }
}

void raise_wrong_result(const std::string& op, const char* function, const Shape& given, const Shape& expected) {
  raise<ShapeError>(op, phrase("its {} function gave an array of shape {} where {} was expected", function,
                               to_string(given), to_string(expected)));
}

void raise_not_differentiable_again(const std::string& op) {
  raise<GradientError>(op,
                       "its derivative is written with xtensor arrays, so it is known as numbers only and cannot be "
                       "differentiated again; write the rule with tensors, as an operation with a vjp");
}

}  // namespace xgrad::detail
