#include <algorithm>
#include <initializer_list>
#include <iterator>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/indexed.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Products of tensors summed over common axes, brought down to matrix products.

namespace xgrad {

namespace {

std::int64_t position(const Indices& indices, Index index) {
  return std::find(indices.begin(), indices.end(), index) - indices.begin();
}

Indices concatenated(std::initializer_list<const Indices*> lists) {
  Indices result;
  for (const Indices* list : lists) {
    result.insert(result.end(), list->begin(), list->end());
  }
  return result;
}

template <class Condition>
Indices filtered(const Indices& indices, const Condition& condition) {
  Indices result;
  std::copy_if(indices.begin(), indices.end(), std::back_inserter(result), condition);
  return result;
}

// x as (batch, rows, columns), where each is a product of axes; an empty batch has no axis. A transposition that comes
// last is taken in by the matrix product.
Tensor as_matrices(const Indexed& x, const Indices& batch, const Indices& rows, const Indices& columns) {
  const bool is_transposed = x.indices == concatenated({&batch, &columns, &rows});
  Shape shape = batch.empty() ? Shape() : Shape{x.size(batch)};
  shape.push_back(x.size(is_transposed ? columns : rows));
  shape.push_back(x.size(is_transposed ? rows : columns));
  const Tensor matrix = reshape(is_transposed ? x.tensor : x.arranged(concatenated({&batch, &rows, &columns})), shape);
  return is_transposed ? swapaxes(matrix, -2, -1) : matrix;
}

// x with its axes in the given order, of size 1 where it lacks an index.
Tensor aligned(const Indexed& x, const Indices& order) {
  Shape shape;
  for (const Index index : order) {
    shape.push_back(contains(x.indices, index) ? x.size(index) : 1);
  }
  return reshape(x.arranged(filtered(order, [&](Index i) { return contains(x.indices, i); })), shape);
}

}  // namespace

bool contains(const Indices& indices, Index index) {
  return std::find(indices.begin(), indices.end(), index) != indices.end();
}

std::int64_t Indexed::size(Index index) const { return tensor.shape(position(indices, index)); }

std::int64_t Indexed::size(const Indices& several) const {
  std::int64_t product = 1;
  for (const Index index : several) {
    product *= size(index);
  }
  return product;
}

Tensor Indexed::arranged(const Indices& order) const {
  if (order == indices) {
    return tensor;
  }
  Shape axes;
  for (const Index index : order) {
    axes.push_back(position(indices, index));
  }
  return transpose(tensor, axes);
}

Indexed Indexed::summed(const Indices& kept) const {
  Shape axes;
  for (const Index index : indices) {
    if (!contains(kept, index)) {
      axes.push_back(position(indices, index));
    }
  }
  return axes.empty() ? *this
                      : Indexed{sum(tensor, Axes(axes)), filtered(indices, [&](Index i) { return contains(kept, i); })};
}

Indexed contract(const Indexed& a, const Indexed& b, const Indices& kept) {
  const auto shared = [&](Index i) { return contains(a.indices, i) && contains(b.indices, i); };
  const Indices batch = filtered(a.indices, [&](Index i) { return shared(i) && contains(kept, i); });
  const Indices inner = filtered(a.indices, [&](Index i) { return shared(i) && !contains(kept, i); });
  const Indices left = filtered(a.indices, [&](Index i) { return !shared(i); });
  const Indices right = filtered(b.indices, [&](Index i) { return !shared(i); });
  const Indices outer = concatenated({&batch, &left, &right});
  // Many products of single numbers, or of one row and one column each, are not worth a call each.
  if (inner.empty() || (!batch.empty() && left.empty() && right.empty())) {
    const Indices all = concatenated({&outer, &inner});
    return Indexed{aligned(a, all) * aligned(b, all), all}.summed(outer);
  }
  Shape shape;
  for (const Index index : outer) {
    shape.push_back(contains(a.indices, index) ? a.size(index) : b.size(index));
  }
  return {reshape(matmul(as_matrices(a, batch, left, inner), as_matrices(b, batch, inner, right)), shape), outer};
}

void require_same_floating(std::string_view op, const Tensors& operands) {
  for (const Tensor& x : operands) {
    if (!is_floating(x.dtype()) || x.dtype() != operands[0].dtype()) {
      raise<DTypeError>(op, phrase("operands must be of one floating type, got {} and {}; cast them",
                                   to_string(operands[0].dtype()), to_string(x.dtype())));
    }
  }
}

Tensor outer(const Operand& a, const Operand& b) {
  const SourceScope scope(a);
  const Tensor left = a.tensor();
  const Tensor right = b.tensor();
  return located(a.where(), [&] {
    const DType dtype = left.dtype();
    if (dtype != right.dtype() || !(is_floating(dtype) || is_integer(dtype))) {
      raise<DTypeError>("outer", phrase("it takes two operands of one type of numbers, got {} and {}; cast them",
                                        to_string(dtype), to_string(right.dtype())));
    }
    return reshape(left, {left.size(), 1}) * reshape(right, {1, right.size()});
  });
}

Tensor trace(const Operand& x) {
  const SourceScope scope(x);
  const Tensor input = x.tensor();
  return located(x.where(), [&] {
    require_summable("trace", input.dtype());
    if (input.ndim() < 2) {
      raise<ShapeError>("trace", phrase("it takes a matrix, got shape {}", to_string(input.shape())));
    }
    return sum(diagonal(input), -1);
  });
}

namespace {

// The axes of an operand in the order given, counted from the front.
Indices contracted_axes(const Axes& axes, std::size_t ndim) {
  normalize_axes("tensordot", axes, ndim);
  Indices result;
  for (std::size_t i = 0; i < (axes.all() ? ndim : axes.list().ndim()); ++i) {
    result.push_back(static_cast<Index>(axes.all() ? i : normalize_axis("tensordot", axes.list()[i], ndim)));
  }
  return result;
}

Tensor tensordot_over(const Tensor& a, const Tensor& b, const Indices& axes_a, const Indices& axes_b) {
  require_same_floating("tensordot", {a, b});
  if (axes_a.size() != axes_b.size()) {
    raise<ValueError>("tensordot", phrase("{} axes of a and {} of b cannot be paired; give equally many", axes_a.size(),
                                          axes_b.size()));
  }
  Indexed left{a, {}};
  Indexed right{b, {}};
  for (std::size_t axis = 0; axis < a.ndim(); ++axis) {
    left.indices.push_back(static_cast<Index>(axis));
  }
  for (std::size_t axis = 0; axis < b.ndim(); ++axis) {
    right.indices.push_back(static_cast<Index>(a.ndim() + axis));
  }
  for (std::size_t i = 0; i < axes_a.size(); ++i) {
    if (a.shape(axes_a[i]) != b.shape(axes_b[i])) {
      raise<ShapeError>("tensordot", phrase("axis {} of shape {} and axis {} of shape {} differ in size; paired axes "
                                            "must be equal",
                                            axes_a[i], to_string(a.shape()), axes_b[i], to_string(b.shape())));
    }
    right.indices[static_cast<std::size_t>(axes_b[i])] = axes_a[i];
  }
  const Indices kept = filtered(left.indices, [&](Index i) { return !contains(axes_a, i); });
  return contract(left, right, kept).tensor;
}

}  // namespace

Tensor tensordot(const Operand& a, const Operand& b, const Axes& axes_a, const Axes& axes_b) {
  const SourceScope scope(a);
  const Tensor left = a.tensor();
  const Tensor right = b.tensor();
  return located(a.where(), [&] {
    return tensordot_over(left, right, contracted_axes(axes_a, left.ndim()), contracted_axes(axes_b, right.ndim()));
  });
}

Tensor tensordot(const Operand& a, const Operand& b, std::int64_t axes) {
  const SourceScope scope(a);
  const Tensor left = a.tensor();
  const Tensor right = b.tensor();
  return located(a.where(), [&] {
    const auto most = static_cast<std::int64_t>(std::min(left.ndim(), right.ndim()));
    if (axes < 0 || axes > most) {
      raise<ValueError>("tensordot", phrase("{} axes cannot be contracted, operands of shapes {} and {} have {}", axes,
                                            to_string(left.shape()), to_string(right.shape()), most));
    }
    Indices last;
    Indices first;
    for (Index i = 0; i < axes; ++i) {
      last.push_back(static_cast<Index>(left.ndim()) - static_cast<Index>(axes) + i);
      first.push_back(i);
    }
    return tensordot_over(left, right, last, first);
  });
}

}  // namespace xgrad
