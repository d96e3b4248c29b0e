#include <algorithm>

#include "autograd/kernels/lapack.hpp"
#include "autograd/linalg.hpp"
#include "autograd/operation.hpp"
#include "autograd/ops.hpp"
#include "autograd/ops/matrices.hpp"

/// \file
/// Factorizations of matrices: Cholesky, eigenvalues, singular values, QR.

namespace xgrad {

namespace {

// What a function of a symmetric matrix makes of any square one.
Tensor symmetric_part(std::string_view op, const Operand& a) {
  const Tensor matrix = a.tensor();
  located(a.where(), [&] { require_square(op, matrix); });
  return (matrix + transposed(matrix)) / 2;
}

// The lower triangle with half of the diagonal: of x + xᵀ it is x, when x is lower triangular.
Tensor half_lower(const Tensor& x) { return (tril(x) + tril(x, -1)) / 2; }

// Symmetric, with the lower triangle of x.
Tensor mirrored_lower(const Tensor& x) { return tril(x) + transposed(tril(x, -1)); }

// b a⁻¹ with a triangular a, or b a⁻ᵀ.
Tensor divided_by_triangle(const Tensor& b, const Tensor& a, bool lower, bool transpose) {
  return transposed(solve_with_triangle(a, transposed(b), lower, !transpose));
}

Tensor add_defined(const Tensor& a, const Tensor& b) { return !a.defined() ? b : !b.defined() ? a : a + b; }

/// a = l lᵀ. With Φ the lower triangle with half of the diagonal (Murray, Differentiation of the Cholesky decomposition,
/// 2016): dl = l Φ(l⁻¹ da l⁻ᵀ), and the cotangent of a is the symmetric part of l⁻ᵀ Φ(lᵀ ct) l⁻¹.
struct Cholesky {
  static constexpr std::string_view name = "linalg::cholesky";
  static constexpr bool maps_leading_axes = true;

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const { kernels::cholesky(matrices(name, in[0]), in[0].data, out[0].data); }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    const Tensor l = node.output(0);
    const Tensor inner = half_lower(matmul(transposed(l), ct[0]));
    return {divided_by_triangle(solve_with_triangle(l, inner, true, true), l, true, false)};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    const Tensor l = node.output(0);
    return {matmul(l, half_lower(divided_by_triangle(solve_with_triangle(l, t[0], true, false), l, true, true)))};
  }
};

// 1 / (xⱼ - xᵢ) off the diagonal, 0 on it.
Tensor reciprocal_gaps(const Tensor& x) {
  const Tensor identity = eye(x.shape(-1), x.shape(-1), x.dtype());
  return reciprocal(expand_dims(x, -2) - expand_dims(x, -1) + identity) - identity;
}

/// a = v diag(w) vᵀ. With p = vᵀ da v and fᵢⱼ = 1 / (wⱼ - wᵢ), 0 for i = j: dw = diag(p), dv = v (f ∘ p).
struct SymmetricEigen {
  static constexpr std::string_view name = "linalg::eigh";
  static constexpr bool maps_leading_axes = true;

  Specs infer(Inputs in) const {
    const Shape& shape = in[0].shape();
    return {{joined(leading_axes(shape), {shape.back()}), in[0].dtype()}, {shape, in[0].dtype()}};
  }
  void eval(ConstViews in, Views out) const {
    kernels::symmetric_eigen(matrices(name, in[0]), in[0].data, out[0].data, out[1].data);
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    const Tensor v = node.output(1);
    Tensor inner;
    if (ct[0].defined()) {
      inner = diagonal_matrix(ct[0]);
    }
    if (ct[1].defined()) {
      inner = add_defined(inner, reciprocal_gaps(node.output(0)) * matmul(transposed(v), ct[1]));
    }
    return {matmul(matmul(v, inner), transposed(v))};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    const Tensor v = node.output(1);
    const Tensor p = matmul(matmul(transposed(v), t[0]), v);
    return {diagonal(p, 0, -2, -1), matmul(v, reciprocal_gaps(node.output(0)) * p)};
  }
};

/// a = u diag(s) vᵀ, k singular values (Townsend, Differentiating the singular value decomposition, 2016). With
/// p = uᵀ da v, fᵢⱼ = 1 / (sⱼ² - sᵢ²), 0 for i = j, and S = diag(s):
///   ds = diag(p)
///   du = u (f ∘ (p S + S pᵀ)) + (1 - u uᵀ) da v S⁻¹
///   dv = v (f ∘ (S p + pᵀ S)) + (1 - v vᵀ) daᵀ u S⁻¹
/// where the last terms are there only for matrices that are taller than wide, or wider than tall.
struct SingularValues {
  static constexpr std::string_view name = "linalg::svd";
  static constexpr bool maps_leading_axes = true;

  Specs infer(Inputs in) const {
    require_matrices(name, in[0]);
    const Shape leading = leading_axes(in[0].shape());
    const std::int64_t m = in[0].shape(-2);
    const std::int64_t n = in[0].shape(-1);
    const std::int64_t k = std::min(m, n);
    const DType dtype = in[0].dtype();
    return {{joined(leading, {m, k}), dtype}, {joined(leading, {k}), dtype}, {joined(leading, {k, n}), dtype}};
  }
  void eval(ConstViews in, Views out) const {
    kernels::singular_values(matrices(name, in[0]), in[0].data, out[0].data, out[1].data, out[2].data);
  }

  // The part of x, as wide as u is tall, that is orthogonal to the columns of u.
  static Tensor orthogonal_part(const Tensor& u, const Tensor& x) { return x - matmul(u, matmul(transposed(u), x)); }

  Tensors vjp(const Node& node, const Cotangents& ct) const {
    const Tensor u = node.output(0);
    const Tensor v = transposed(node.output(2));
    const Tensor columns = expand_dims(node.output(1), -2);  // x * columns is x S
    const Tensor rows = expand_dims(node.output(1), -1);     // rows * x is S x
    const Tensor f = reciprocal_gaps(square(node.output(1)));
    const auto skew = [](const Tensor& x) { return x - transposed(x); };
    Tensor inner;  // in the basis of singular vectors
    Tensor outer;
    if (ct[1].defined()) {
      inner = diagonal_matrix(ct[1]);
    }
    if (ct[0].defined()) {
      inner = add_defined(inner, f * skew(matmul(transposed(u), ct[0])) * columns);
      if (u.shape(-2) > u.shape(-1)) {
        outer = matmul(orthogonal_part(u, ct[0]) / columns, transposed(v));
      }
    }
    if (ct[2].defined()) {
      const Tensor of_v = transposed(ct[2]);
      inner = add_defined(inner, rows * (f * skew(matmul(transposed(v), of_v))));
      if (v.shape(-2) > v.shape(-1)) {
        outer = add_defined(outer, matmul(u, transposed(orthogonal_part(v, of_v) / columns)));
      }
    }
    return {add_defined(matmul(matmul(u, inner), transposed(v)), outer)};
  }

  Tensors jvp(const Node& node, const Tangents& t) const {
    const Tensor u = node.output(0);
    const Tensor v = transposed(node.output(2));
    const Tensor columns = expand_dims(node.output(1), -2);
    const Tensor f = reciprocal_gaps(square(node.output(1)));
    const Tensor da_v = matmul(t[0], v);
    const Tensor dat_u = matmul(transposed(t[0]), u);
    const Tensor p = matmul(transposed(u), da_v);
    const Tensor ps = p * columns;
    const Tensor pts = transposed(p) * columns;
    Tensor du = matmul(u, f * (ps + transposed(ps)));
    Tensor dv = matmul(v, f * (pts + transposed(pts)));
    if (u.shape(-2) > u.shape(-1)) {
      du = du + orthogonal_part(u, da_v) / columns;
    }
    if (v.shape(-2) > v.shape(-1)) {
      dv = dv + orthogonal_part(v, dat_u) / columns;
    }
    return {du, diagonal(p, 0, -2, -1), transposed(dv)};
  }
};

/// a = q r for matrices at least as tall as wide. With x = da r⁻¹ and the skew w whose lower triangle is that of qᵀ x:
///   dr = (qᵀ x - w) r    dq = x - q (qᵀ x - w)
/// The cotangent of a is (ct_q + q m) r⁻ᵀ, where m is symmetric with the lower triangle of r ct_rᵀ - ct_qᵀ q (Walter and
/// Lehmann, Algorithmic differentiation of linear algebra functions with application in optimum experimental design, 2010).
struct OrthogonalTriangular {
  static constexpr std::string_view name = "linalg::qr";
  static constexpr bool maps_leading_axes = true;

  Specs infer(Inputs in) const {
    const Shape& shape = in[0].shape();
    return {{shape, in[0].dtype()}, {joined(leading_axes(shape), {shape.back(), shape.back()}), in[0].dtype()}};
  }
  void eval(ConstViews in, Views out) const {
    kernels::orthogonalize(matrices(name, in[0]), in[0].data, out[0].data, out[1].data);
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    const Tensor q = node.output(0);
    const Tensor r = node.output(1);
    Tensor m;
    if (ct[1].defined()) {
      m = matmul(r, transposed(ct[1]));
    }
    if (ct[0].defined()) {
      m = add_defined(m, -matmul(transposed(ct[0]), q));
    }
    return {divided_by_triangle(add_defined(ct[0], matmul(q, mirrored_lower(m))), r, false, true)};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    const Tensor q = node.output(0);
    const Tensor r = node.output(1);
    const Tensor x = divided_by_triangle(t[0], r, false, false);
    const Tensor qx = matmul(transposed(q), x);
    const Tensor below = tril(qx, -1);
    const Tensor upper = qx - below + transposed(below);
    return {x - matmul(q, upper), matmul(upper, r)};
  }
};

}  // namespace

namespace linalg {

Tensor cholesky(const Operand& a) {
  const SourceScope scope(a);
  return apply_op(Cholesky(), {symmetric_part(Cholesky::name, a)}, a.where());
}

Eigh eigh(const Operand& a) {
  const SourceScope scope(a);
  const Tensors outputs = apply_op_all(SymmetricEigen(), Tensors{symmetric_part(SymmetricEigen::name, a)}, a.where());
  return {outputs[0], outputs[1]};
}

Tensor eigvalsh(const Operand& a) { return eigh(a).values; }

Svd svd(const Operand& a) {
  const Tensors outputs = apply_op_all(SingularValues(), Tensors{a.tensor()}, a.where());
  return {outputs[0], outputs[1], outputs[2]};
}

Tensor svdvals(const Operand& a) { return svd(a).s; }

// A wide matrix is (a1 a2) with a square a1 = q r1, so r = (r1 qᵀ a2).
Qr qr(const Operand& a) {
  const SourceScope scope(a);
  const Tensor matrix = a.tensor();
  located(a.where(), [&] { require_matrices(OrthogonalTriangular::name, matrix); });
  const std::int64_t rows = matrix.shape(-2);
  const bool wide = rows < matrix.shape(-1);
  const Tensor left = wide ? matrix[{ellipsis(), range(0, rows)}] : matrix;
  const Tensors outputs = apply_op_all(OrthogonalTriangular(), Tensors{left}, a.where());
  if (!wide) {
    return {outputs[0], outputs[1]};
  }
  const Tensor rest = matmul(transposed(outputs[0]), matrix[{ellipsis(), range(rows)}]);
  return {outputs[0], concatenate({outputs[1], rest}, -1)};
}

}  // namespace linalg

}  // namespace xgrad
