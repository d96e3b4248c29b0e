#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

#include "autograd/graph/operation.hpp"
#include "autograd/graph/variable_cell.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/ops/map.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/ops/transpose.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/workers.hpp"

/// \file
/// Matrix products.

namespace xgrad {

namespace {

Shape leading(const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); }

/// What CompileOptions::products say of the function that is being traced; float64 is not concerned.
ProductPrecision wanted_precision(DType dtype) {
  const detail::Recorder* recorder = detail::current_recorder();
  return recorder == nullptr || dtype != DType::float32 ? ProductPrecision::float32 : recorder->products();
}

}  // namespace

MatMul::Sizes MatMul::sizes(const Shape& a, const Shape& b) const {
  const std::size_t i = a.ndim() - 2;
  const std::size_t j = b.ndim() - 2;
  return {a[transpose_a ? i + 1 : i], a[transpose_a ? i : i + 1], b[transpose_b ? j : j + 1]};
}

Spec MatMul::infer(Inputs in) const {
  const auto [m, k, n] = sizes(in[0].shape(), in[1].shape());
  if (in[0].dtype() != in[1].dtype() || !is_floating(in[0].dtype())) {
    raise<DTypeError>(name, phrase("it takes two matrices of the same floating type, got {} and {}; cast one of them",
                                   to_string(in[0].dtype()), to_string(in[1].dtype())));
  }
  Shape shape = broadcast_shapes(name, leading(in[0].shape()), leading(in[1].shape()));
  shape.push_back(m);
  shape.push_back(n);
  return {shape, in[0].dtype()};
}

void MatMul::eval(ConstViews in, Views out) const {
  const Sizes size = sizes(in[0].shape(), in[1].shape());
  const Shape batch = leading(out[0].shape());
  if (out[0].size() == 0) {
    return;
  }
  const Ints a_strides = broadcast_strides(leading(in[0].shape()), batch);
  const Ints b_strides = broadcast_strides(leading(in[1].shape()), batch);
  const std::size_t element = size_of(in[0].dtype());
  const auto matrix = [&](auto* data, std::int64_t number, std::int64_t rows, std::int64_t columns) {
    return static_cast<std::conditional_t<std::is_const_v<std::remove_pointer_t<decltype(data)>>, const std::byte*,
                                          std::byte*>>(data) +
           static_cast<std::size_t>(number * rows * columns) * element;
  };
  runtime::parallel_for(batch.element_count(), [&](std::int64_t number) {
    std::int64_t a_number = 0;
    std::int64_t b_number = 0;
    for (std::int64_t axis = static_cast<std::int64_t>(batch.ndim()) - 1, rest = number; axis >= 0; --axis) {
      const auto i = static_cast<std::size_t>(axis);
      a_number += rest % batch[i] * a_strides[i];
      b_number += rest % batch[i] * b_strides[i];
      rest /= batch[i];
    }
    kernels::matmul(in[0].dtype(), transpose_a, transpose_b, size.m, size.n, size.k,
                    matrix(in[0].data, a_number, size.m, size.k), matrix(in[1].data, b_number, size.k, size.n),
                    matrix(out[0].data, number, size.m, size.n), false, products);
  });
}

Tensors MatMul::vjp(const Node& node, const Cotangents& ct) const {
  const Tensor& a = node.input(0);
  const Tensor& b = node.input(1);
  const auto product = [&](const Tensor& x, const Tensor& y, bool transpose_x, bool transpose_y) {
    return apply_op(MatMul{transpose_x, transpose_y, products}, {x, y});
  };
  Tensors gradients(2);
  if (ct.wanted(0)) {
    gradients[0] = transpose_a ? product(b, ct[0], transpose_b, true) : product(ct[0], b, false, !transpose_b);
  }
  if (ct.wanted(1)) {
    gradients[1] = transpose_b ? product(ct[0], a, true, transpose_a) : product(a, ct[0], !transpose_a, false);
  }
  return gradients;
}

Tensors MatMul::jvp(const Node& node, const Tangents& t) const {
  const Tensor by_a = t[0].defined() ? apply_op(*this, {t[0], node.input(1)}) : Tensor();
  const Tensor by_b = t[1].defined() ? apply_op(*this, {node.input(0), t[1]}) : Tensor();
  return {!by_a.defined() ? by_b : !by_b.defined() ? by_a : by_a + by_b};
}

Tensors MatMul::vmap(const Node& node, const BatchedInputs& in) const {
  const Tensors aligned = align_samples(node, in, node.spec(0).shape.ndim());
  return {apply_op(*this, {aligned[0], aligned[1]})};
}

namespace {

// Takes a transposition in front of the product, of the last two axes, into its flag.
std::pair<Tensor, bool> absorb_transpose(Tensor x) {
  const auto* transposed = x.node().as<Transpose>();
  if (transposed == nullptr) {
    return {std::move(x), false};
  }
  const std::size_t ndim = x.ndim();
  for (std::size_t i = 0; i < ndim; ++i) {
    const std::size_t swapped = i + 2 < ndim ? i : 2 * ndim - 3 - i;
    if (normalize_axis("matmul", transposed->axes[i], ndim) != swapped) {
      return {std::move(x), false};
    }
  }
  return {x.node().input(0), true};
}

void require_fitting(const Shape& a, const Shape& b) {
  if (a.empty() || b.empty()) {
    raise<ShapeError>("matmul", phrase("it takes matrices (.., m, k) x (.., k, n), or vectors for either, got {} x {}",
                                       to_string(a), to_string(b)));
  }
  const std::int64_t rows = b.ndim() == 1 ? b[0] : b[b.ndim() - 2];
  if (a.back() != rows) {
    const std::string hint = b.ndim() > 1 && a.back() == b.back()      ? "; did you mean transpose(b)?"
                             : a.ndim() > 1 && a[a.ndim() - 2] == rows ? "; did you mean transpose(a)?"
                                                                       : "";
    raise<ShapeError>("matmul", phrase("inner sizes differ: {} x {}{}", to_string(a), to_string(b), hint));
  }
}

/// \param exact whatever is asked for.
Tensor product_of(const Operand& a, const Operand& b, bool exact) {
  Tensor left = a.tensor();
  Tensor right = b.tensor();
  located(a.where(), [&] { require_fitting(left.shape(), right.shape()); });
  const ProductPrecision products = exact ? ProductPrecision::float32 : wanted_precision(left.dtype());
  // A vector is a row on the left and a column on the right; that axis is not part of the result.
  const bool row = left.ndim() == 1;
  const bool column = right.ndim() == 1;
  if (row) {
    left = reshape(left, {1, left.size()});
  }
  if (column) {
    right = reshape(right, {right.size(), 1});
  }
  Shape rows = left.shape();
  const bool joined = left.ndim() > 2 && right.ndim() == 2;
  if (joined) {  // many matrices by one: one tall matrix by one
    rows.erase(rows.ndim() - 1);
    left = reshape(left, {rows.element_count(), left.shape().back()});
  }
  auto [matrix_a, transpose_a] = absorb_transpose(std::move(left));
  auto [matrix_b, transpose_b] = absorb_transpose(std::move(right));
  Tensor product =
      apply_op(MatMul{transpose_a, transpose_b, products}, {std::move(matrix_a), std::move(matrix_b)}, a.where());
  if (!joined && !row && !column) {
    return product;
  }
  Shape shape = product.shape();
  if (joined) {
    shape = rows;
    shape.push_back(product.shape().back());
  }
  if (column) {
    shape.erase(shape.ndim() - 1);
  }
  if (row) {
    shape.erase(shape.ndim() - (column ? 1 : 2));
  }
  return reshape(product, shape);
}

}  // namespace

Tensor matmul(const Operand& a, const Operand& b) {
  const SourceScope scope(a);
  return product_of(a, b, false);
}

Tensor exact_matmul(const Operand& a, const Operand& b) {
  const SourceScope scope(a);
  return product_of(a, b, true);
}

}  // namespace xgrad
