#pragma once

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/product_precision.hpp"

/// \file
/// Matrix products, which plans cut, join and write in place.

namespace xgrad {

/// op(a) op(b) of the matrices on the last two axes, where op transposes when its flag is set; axes in front broadcast. No
/// rule needs an explicit transpose:
///   c = a b:    da = ct bᵀ    db = aᵀ ct
///   c = aᵀ b:   da = b ctᵀ    db = a ct
///   c = a bᵀ:   da = ct b     db = ctᵀ a
///   c = aᵀ bᵀ:  da = bᵀ ctᵀ   db = ctᵀ aᵀ
struct MatMul {
  static constexpr std::string_view name = "matmul";
  bool transpose_a;
  bool transpose_b;
  ProductPrecision products = ProductPrecision::float32;  ///< of this one, and of those in its derivatives
  static constexpr auto attributes =
      fields("transpose_a", &MatMul::transpose_a, "transpose_b", &MatMul::transpose_b, "products", &MatMul::products);
  static constexpr bool total = true;

  struct Sizes {
    std::int64_t m, k, n;
  };
  /// op(a) is (m, k), op(b) is (k, n).
  Sizes sizes(const Shape& a, const Shape& b) const;

  Spec infer(Inputs in) const;
  void eval(ConstViews in, Views out) const;
  Tensors vjp(const Node& node, const Cotangents& ct) const;
  Tensors jvp(const Node& node, const Tangents& t) const;
  Tensors vmap(const Node& node, const BatchedInputs& in) const;
};

/// matmul of factors as they are, whatever the function that is traced asks for: what the rules of factorisations are made of.
Tensor exact_matmul(const Operand& a, const Operand& b);

}  // namespace xgrad
