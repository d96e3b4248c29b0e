#include "nn/flatten.hpp"

#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad::nn {

Tensor Flatten::operator()(const Operand& x) const {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const Shape& shape = input.shape();
    const auto axes = static_cast<std::int64_t>(shape.ndim());
    const std::int64_t first = first_axis < 0 ? first_axis + axes : first_axis;
    if (first < 0 || first > axes) {
      raise<ShapeError>("flatten", phrase("the axes before axis {} stay, the input of shape {} has {}", first_axis,
                                          to_string(shape), axes));
    }
    Shape flat(shape.begin(), shape.begin() + first);
    flat.push_back(Shape(shape.begin() + first, shape.end()).element_count());
    return reshape(input, flat);
  });
}

}  // namespace xgrad::nn
