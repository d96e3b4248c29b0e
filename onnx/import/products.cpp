#include <algorithm>
#include <array>
#include <cstdint>

#include "autograd/ops/linalg.hpp"
#include "autograd/ops/ops.hpp"
#include "onnx/import/call.hpp"
#include "onnx/import/operators.hpp"

/// \file
/// Products of matrices.

namespace xgrad::onnx::loading {

namespace {

/// Of integers in float64, which is exact where no sum reaches 2^53.
template <class F>
Tensor in_floating(const Tensors& operands, const F& f) {
  const DType dtype = operands.front().dtype();
  if (is_floating(dtype)) {
    return f(operands);
  }
  Tensors converted;
  for (const Tensor& operand : operands) {
    converted.push_back(cast(operand, DType::float64));
  }
  return cast(f(converted), dtype);
}

Tensors matmul_of(const Call& call) {
  return {in_floating({call[0], call[1]}, [](const Tensors& x) { return matmul(x[0], x[1]); })};
}

/// alpha op(a) op(b) + beta c
Tensors gemm(const Call& call) {
  const double alpha = call.number("alpha", 1);
  const double beta = call.number("beta", 1);
  const bool transpose_a = call.flag("transA", false);
  const bool transpose_b = call.flag("transB", false);
  if (call[0].ndim() != 2 || call[1].ndim() != 2) {
    call.refuse("it takes two matrices");
  }
  Tensors operands{call[0], call[1]};
  if (call.has(2) && beta != 0) {
    operands.push_back(call[2]);
  }
  return {in_floating(operands, [&](const Tensors& x) {
    const Tensor a = transpose_a ? transpose(x[0]) : x[0];
    const Tensor b = transpose_b ? transpose(x[1]) : x[1];
    const Tensor product = alpha == 1 ? matmul(a, b) : matmul(a, b) * alpha;
    if (x.size() < 3) {
      return product;
    }
    return beta == 1 ? product + x[2] : product + x[2] * beta;
  })};
}

Tensors einsum_of(const Call& call) {
  std::string equation = call.text("equation", "");
  std::erase(equation, ' ');
  return {in_floating(call.inputs_from(0), [&](const Tensors& x) { return einsum(equation, x); })};
}

Tensors det(const Call& call) { return {linalg::det(call[0])}; }

constexpr std::array products_table = {
    Operator{"Det", {1, 1}, det, 11},         Operator{"Einsum", {1, any_number}, einsum_of, 12},
    Operator{"Gemm", {3, 3}, gemm, 7, 10},    Operator{"Gemm", {2, 3}, gemm, 11},
    Operator{"MatMul", {2, 2}, matmul_of, 1},
};

}  // namespace

std::span<const Operator> product_operators() { return products_table; }

}  // namespace xgrad::onnx::loading
