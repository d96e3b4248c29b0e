#include <algorithm>
#include <cstdlib>
#include <initializer_list>

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

// In a flattened matrix the diagonal lies at every (size + 1)-th element.
Tensor diag_embed(const Operand& x, std::int64_t offset, std::int64_t axis1, std::int64_t axis2) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor input = x.tensor();
    if (input.ndim() == 0) {
      raise<ShapeError>("diag_embed", "it takes vectors on the last axis, got shape (); reshape it to (1,)");
    }
    const std::size_t ndim = input.ndim() + 1;
    const std::size_t first = normalize_axis("diag_embed", axis1, ndim);
    const std::size_t second = normalize_axis("diag_embed", axis2, ndim);
    if (first == second) {
      raise<ValueError>("diag_embed", phrase("axes {} and {} are the same; give two different ones", axis1, axis2));
    }
    const Shape leading(input.shape().begin(), input.shape().end() - 1);
    const std::int64_t n = input.shape().back();
    const std::int64_t size = n + std::abs(offset);
    const auto widened = [&](const Tensor& t, std::int64_t before, std::int64_t after) {
      Ints front = t.shape();
      std::fill(front.begin(), front.end(), 0);
      Ints back = front;
      front[front.ndim() - 1] = before;
      back[back.ndim() - 1] = after;
      return pad(t, front, back);
    };
    const auto with_last = [&](std::initializer_list<std::int64_t> last) {
      Shape shape = leading;
      for (const std::int64_t each : last) {
        shape.push_back(each);
      }
      return shape;
    };
    const std::int64_t begin = offset >= 0 ? offset : -offset * size;
    const std::int64_t used = n == 0 ? 0 : (n - 1) * (size + 1) + 1;
    const Tensor spaced = reshape(widened(expand_dims(input, -1), 0, size), with_last({n * (size + 1)}));
    const Tensor flat =
        widened(spaced[{ellipsis(), range(0, used)}], n == 0 ? 0 : begin, size * size - used - (n == 0 ? 0 : begin));
    const Tensor matrices = reshape(flat, with_last({size, size}));
    Ints order;
    std::int64_t next = 0;
    for (std::size_t axis = 0; axis < ndim; ++axis) {
      order.push_back(axis == first    ? static_cast<std::int64_t>(ndim) - 2
                      : axis == second ? static_cast<std::int64_t>(ndim) - 1
                                       : next++);
    }
    return transpose(matrices, order);
  });
}

}  // namespace xgrad
