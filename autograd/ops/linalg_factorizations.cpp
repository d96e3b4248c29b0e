#include <algorithm>
#include <utility>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/lapack.hpp"
#include "autograd/ops/linalg.hpp"
#include "autograd/ops/linalg_parts.hpp"
#include "autograd/ops/map.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/ops.hpp"

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

/// The derivative of a = l lᵀ in l, and its transpose. With Φ the lower triangle with half of the diagonal (Murray,
/// Differentiation of the Cholesky decomposition, 2016):
///   dl = l Φ(l⁻¹ da l⁻ᵀ), of the symmetric da whose lower triangle is given
///   f = Φ(y + yᵀ) with y = l⁻ᵀ Φ(lᵀ ct) l⁻¹, the cotangent of the lower triangle of a
/// Lower triangles alone are read and given. It is an operation because of its cost alone: these formulas, made of products
/// and solutions, take 4n³ beside the n³/3 of the factorization; the kernel takes 3/4 n³.
///
/// When l changes too, by e, then with s = f + fᵀ and w = e l⁻¹:
///   the change of dl is w dl + dl(-w da - (w da)ᵀ)
///   the change of f is f(wᵀ ct) - Φ(s w + (s w)ᵀ)
///   the cotangent of l is the lower triangle of (ct dlᵀ - s da) l⁻ᵀ
struct CholeskyDerivative {
  static constexpr std::string_view name = "linalg::cholesky_derivative";
  bool transpose;  ///< gives f, from l and ct, instead of dl, from l and da
  static constexpr auto attributes = fields("transpose", &CholeskyDerivative::transpose);

  std::string_view title() const { return transpose ? "cholesky_cotangent" : "cholesky_tangent"; }
  CholeskyDerivative adjoint() const { return {!transpose}; }

  Spec infer(Inputs in) const { return {broadcast_shapes(name, in[0].shape(), in[1].shape()), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    const BroadcastSides x(in[0], in[1], out[0]);
    kernels::differentiate_cholesky(matrices(name, in[0]), transpose, in[0].data, x.sides());
  }

  Tensors vjp(const Node& node, const Cotangents& cotangents) const {
    const Tensor l = node.input(0);
    const Tensor back = apply_op(adjoint(), {l, cotangents[0]});
    if (!cotangents.wanted(0)) {
      return {Tensor(), back};
    }
    const auto [da, dl] = transpose ? std::pair(cotangents[0], back) : std::pair(node.input(1), node.output(0));
    const auto [ct, f] = transpose ? std::pair(node.input(1), node.output(0)) : std::pair(cotangents[0], back);
    const Tensor of_l = exact_matmul(tril(ct), transposed(dl)) - exact_matmul(f + transposed(f), mirrored_lower(da));
    return {tril(divided_by_triangle(of_l, l, true, true)), back};
  }

  Tensors jvp(const Node& node, const Tangents& t) const {
    const Tensor l = node.input(0);
    const auto apply = [&](const Tensor& x) { return apply_op(*this, {l, x}); };
    if (!t[0].defined()) {
      return {apply(t[1])};
    }
    const Tensor w = divided_by_triangle(tril(t[0]), l, true, false);
    const Tensor result = node.output(0);
    if (transpose) {
      const Tensor sw = exact_matmul(result + transposed(result), w);
      return {apply(add_defined(t[1], exact_matmul(transposed(w), tril(node.input(1))))) -
              half_lower(sw + transposed(sw))};
    }
    const Tensor wa = exact_matmul(w, mirrored_lower(node.input(1)));
    return {exact_matmul(w, result) + apply(add_defined(t[1], -wa - transposed(wa)))};
  }

  Tensors vmap(const Node& node, const BatchedInputs& in) const {
    return {apply_op(*this, align_samples(node, in, node.spec(0).shape.ndim()))};
  }
};

/// a = l lᵀ. Of a, and of its changes, the lower triangle is read.
struct Cholesky {
  static constexpr std::string_view name = "linalg::cholesky";
  static constexpr bool maps_leading_axes = true;

  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const { kernels::cholesky(matrices(name, in[0]), in[0].data, out[0].data); }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    return {apply_op(CholeskyDerivative{true}, {node.output(0), ct[0]})};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    return {apply_op(CholeskyDerivative{false}, {node.output(0), t[0]})};
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
      inner = add_defined(inner, reciprocal_gaps(node.output(0)) * exact_matmul(transposed(v), ct[1]));
    }
    return {exact_matmul(exact_matmul(v, inner), transposed(v))};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    const Tensor v = node.output(1);
    const Tensor p = exact_matmul(exact_matmul(transposed(v), t[0]), v);
    return {diagonal(p, 0, -2, -1), exact_matmul(v, reciprocal_gaps(node.output(0)) * p)};
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
  static Tensor orthogonal_part(const Tensor& u, const Tensor& x) {
    return x - exact_matmul(u, exact_matmul(transposed(u), x));
  }

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
      inner = add_defined(inner, f * skew(exact_matmul(transposed(u), ct[0])) * columns);
      if (u.shape(-2) > u.shape(-1)) {
        outer = exact_matmul(orthogonal_part(u, ct[0]) / columns, transposed(v));
      }
    }
    if (ct[2].defined()) {
      const Tensor of_v = transposed(ct[2]);
      inner = add_defined(inner, rows * (f * skew(exact_matmul(transposed(v), of_v))));
      if (v.shape(-2) > v.shape(-1)) {
        outer = add_defined(outer, exact_matmul(u, transposed(orthogonal_part(v, of_v) / columns)));
      }
    }
    return {add_defined(exact_matmul(exact_matmul(u, inner), transposed(v)), outer)};
  }

  Tensors jvp(const Node& node, const Tangents& t) const {
    const Tensor u = node.output(0);
    const Tensor v = transposed(node.output(2));
    const Tensor columns = expand_dims(node.output(1), -2);
    const Tensor f = reciprocal_gaps(square(node.output(1)));
    const Tensor da_v = exact_matmul(t[0], v);
    const Tensor dat_u = exact_matmul(transposed(t[0]), u);
    const Tensor p = exact_matmul(transposed(u), da_v);
    const Tensor ps = p * columns;
    const Tensor pts = transposed(p) * columns;
    Tensor du = exact_matmul(u, f * (ps + transposed(ps)));
    Tensor dv = exact_matmul(v, f * (pts + transposed(pts)));
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
  static constexpr bool skips_outputs = true;  // r alone takes half the time

  Specs infer(Inputs in) const {
    const Shape& shape = in[0].shape();
    return {{shape, in[0].dtype()}, {joined(leading_axes(shape), {shape.back(), shape.back()}), in[0].dtype()}};
  }
  void eval(ConstViews in, Views out) const {
    if (out[1].data != nullptr) {
      return kernels::orthogonalize(matrices(name, in[0]), in[0].data, out[0].data, out[1].data);
    }
    Array r(out[1].shape(), out[1].dtype());
    kernels::orthogonalize(matrices(name, in[0]), in[0].data, out[0].data, r.data());
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    const Tensor q = node.output(0);
    const Tensor r = node.output(1);
    Tensor m;
    if (ct[1].defined()) {
      m = exact_matmul(r, transposed(ct[1]));
    }
    if (ct[0].defined()) {
      m = add_defined(m, -exact_matmul(transposed(ct[0]), q));
    }
    return {divided_by_triangle(add_defined(ct[0], exact_matmul(q, mirrored_lower(m))), r, false, true)};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    const Tensor q = node.output(0);
    const Tensor r = node.output(1);
    const Tensor x = divided_by_triangle(t[0], r, false, false);
    const Tensor qx = exact_matmul(transposed(q), x);
    const Tensor below = tril(qx, -1);
    const Tensor upper = qx - below + transposed(below);
    return {x - exact_matmul(q, upper), exact_matmul(upper, r)};
  }
};

/// Orthonormal columns that complete those of q (.., m, k) to a basis. They are not determined, and have no derivative.
struct OrthogonalComplement {
  static constexpr std::string_view name = "linalg::orthogonal_complement";
  static constexpr bool maps_leading_axes = true;

  Spec infer(Inputs in) const {
    const std::int64_t m = in[0].shape(-2);
    return {joined(leading_axes(in[0].shape()), {m, m - in[0].shape(-1)}), in[0].dtype()};
  }
  void eval(ConstViews in, Views out) const {
    kernels::Matrices m = matrices(name, in[0]);
    m.count = out[0].size() == 0 ? 0 : leading_axes(out[0].shape()).element_count();
    kernels::orthogonal_complement(m, in[0].data, out[0].data);
  }
};

// A square matrix whose first columns are those of q.
Tensor completed(const Tensor& q) {
  return q.shape(-2) == q.shape(-1) ? q : concatenate({q, apply_op(OrthogonalComplement(), {q})}, -1);
}

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

Svd svd(const Operand& a, bool full_matrices) {
  const SourceScope scope(a);
  const Svd thin = svd(a);
  return full_matrices ? Svd{completed(thin.u), thin.s, transposed(completed(transposed(thin.vt)))} : thin;
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
  const Tensor rest = exact_matmul(transposed(outputs[0]), matrix[{ellipsis(), range(rows)}]);
  return {outputs[0], concatenate({outputs[1], rest}, -1)};
}

Qr qr(const Operand& a, QrMode mode) {
  const SourceScope scope(a);
  const Qr reduced = qr(a);
  const std::int64_t more = reduced.q.shape(-2) - reduced.q.shape(-1);
  if (mode == QrMode::reduced || more == 0) {
    return reduced;
  }
  const Tensor zero = zeros(joined(leading_axes(reduced.r.shape()), {more, reduced.r.shape(-1)}), reduced.r.dtype());
  return {completed(reduced.q), concatenate({reduced.r, zero}, -2)};
}

}  // namespace linalg

}  // namespace xgrad
