#include <algorithm>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Triangles and diagonals of matrices on the last two axes.

namespace xgrad {

namespace {

// x where row and column number of the last two axes satisfy a comparison with offset k, else 0.
template <class Compare>
Tensor masked(std::string_view op, const Operand& x, std::int64_t k, const Compare& keeps) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    if (input.ndim() < 2) {
      raise<ShapeError>(op, phrase("it takes matrices, got shape {}", to_string(input.shape())));
    }
    const auto rows = arange(static_cast<double>(input.shape(-2)), DType::int64);
    const auto columns = arange(static_cast<double>(input.shape(-1)), DType::int64);
    return where(keeps(columns - expand_dims(rows, 1), k), input, 0);
  });
}

}  // namespace

Tensor tril(const Operand& x, std::int64_t k) {
  return masked("tril", x, k, [](const Tensor& offset, std::int64_t limit) { return offset <= limit; });
}

Tensor triu(const Operand& x, std::int64_t k) {
  return masked("triu", x, k, [](const Tensor& offset, std::int64_t limit) { return offset >= limit; });
}

Tensor diagonal(const Operand& x, std::int64_t offset, std::int64_t axis1, std::int64_t axis2) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    const std::size_t first = normalize_axis("diagonal", axis1, input.ndim());
    const std::size_t second = normalize_axis("diagonal", axis2, input.ndim());
    if (first == second) {
      raise<ValueError>("diagonal", phrase("axes {} and {} are the same; give two different ones", axis1, axis2));
    }
    Ints order;
    for (std::size_t i = 0; i < input.ndim(); ++i) {
      if (i != first && i != second) {
        order.push_back(static_cast<std::int64_t>(i));
      }
    }
    order.push_back(static_cast<std::int64_t>(first));
    order.push_back(static_cast<std::int64_t>(second));
    const Tensor matrices = transpose(input, order);
    const std::int64_t rows = matrices.shape(-2);
    const std::int64_t columns = matrices.shape(-1);
    // In a flattened matrix the diagonal lies at every (columns + 1)-th element. Beyond the corners there is none.
    const std::int64_t near = std::clamp(offset, -rows, columns);
    const std::int64_t begin = near >= 0 ? near : -near * columns;
    const std::int64_t length =
        std::max<std::int64_t>(0, near >= 0 ? std::min(rows, columns - near) : std::min(rows + near, columns));
    Shape flat(matrices.shape().begin(), matrices.shape().end() - 2);
    flat.push_back(rows * columns);
    const std::int64_t end = length == 0 ? begin : begin + (length - 1) * (columns + 1) + 1;
    return reshape(matrices, flat)[{ellipsis(), range(begin, end, columns + 1)}];
  });
}

}  // namespace xgrad
