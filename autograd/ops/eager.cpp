#include "autograd/ops/eager.hpp"

#include <cstdint>
#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

namespace xgrad {

namespace {

// Positions in the flattened tensor of its elements that are not 0.
std::vector<std::int64_t> places_of_nonzero(const Tensor& x) {
  const Array elements = cast(x, DType::boolean).array();
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < elements.size(); ++i) {
    if (elements.data<bool>()[i]) {
      places.push_back(i);
    }
  }
  return places;
}

}  // namespace

// Sorted, equal elements are neighbours; a stable order has the first of each in front.
Unique unique(const Operand& x) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor input = x.tensor();
    const Tensor flat = reshape(input, {input.size()});
    const Array order = argsort(flat).array();
    const Tensor sorted = take(flat, Tensor(order));
    const std::int64_t n = input.size();
    const Tensor before = sorted[{range(0, n > 0 ? n - 1 : 0)}];
    const Tensor after = sorted[{range(n > 0 ? 1 : 0)}];
    const Array differs = logical_and(before != after, logical_not(logical_and(isnan(before), isnan(after)))).array();
    std::vector<std::int64_t> first;
    std::vector<std::int64_t> counts;
    std::vector<std::int64_t> inverse(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t place = order.data<std::int64_t>()[i];
      if (i == 0 || differs.data<bool>()[i - 1]) {
        first.push_back(place);
        counts.push_back(0);
      }
      ++counts.back();
      inverse[static_cast<std::size_t>(place)] = static_cast<std::int64_t>(first.size()) - 1;
    }
    const Tensor indices(first);
    return Unique{take(flat, indices), indices, reshape(Tensor(inverse), input.shape()), Tensor(counts)};
  });
}

Tensor argwhere(const Operand& x) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor input = x.tensor();
    const Tensor places(places_of_nonzero(input));
    const Ints strides = row_major_strides(input.shape());
    Tensors columns;
    for (std::size_t axis = 0; axis < input.ndim(); ++axis) {
      if (places.size() > 0) {
        columns.push_back(remainder(places / strides[axis], input.shape()[axis]));
      }
    }
    const auto ndim = static_cast<std::int64_t>(input.ndim());
    return columns.empty() ? zeros({places.size(), ndim}, DType::int64) : stack(columns, 1);
  });
}

Tensor masked_select(const Operand& x, const Operand& mask) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor input = x.tensor();
    const Tensor selected = mask.tensor();
    if (selected.dtype() != DType::boolean) {
      raise<DTypeError>("masked_select",
                        phrase("a mask is boolean, got {}; compare first, as in x != 0", to_string(selected.dtype())));
    }
    const Shape shape = broadcast_shapes("masked_select", input.shape(), selected.shape());
    const Tensor places(places_of_nonzero(broadcast_to(selected, shape)));
    const Tensor flat = reshape(broadcast_to(input, shape), {shape.element_count()});
    return take(flat, places);
  });
}

}  // namespace xgrad
