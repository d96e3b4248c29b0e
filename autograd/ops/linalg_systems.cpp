#include <vector>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/kernels.hpp"
#include "autograd/kernels/lapack.hpp"
#include "autograd/ops/linalg.hpp"
#include "autograd/ops/linalg_parts.hpp"
#include "autograd/ops/map.hpp"
#include "autograd/ops/matmul.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Inverses, determinants and systems of linear equations.

namespace xgrad {

namespace {

/// y = a⁻¹: dy = -y da y.
struct Inverse {
  static constexpr std::string_view name = "linalg::inv";
  static constexpr bool maps_leading_axes = true;

  Spec infer(Inputs in) const {
    require_square(name, in[0]);
    return {in[0].shape(), in[0].dtype()};
  }
  void eval(ConstViews in, Views out) const { kernels::invert(matrices(name, in[0]), in[0].data, out[0].data); }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    const Tensor y = transposed(node.output(0));
    return {-exact_matmul(exact_matmul(y, ct[0]), y)};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    const Tensor y = node.output(0);
    return {-exact_matmul(exact_matmul(y, t[0]), y)};
  }
};

Spec number_per_matrix(std::string_view op, Inputs in) {
  require_square(op, in[0]);
  return {leading_axes(in[0].shape()), in[0].dtype()};
}

// ⟨a, b⟩ = tr(aᵀ b) of each pair of matrices.
Tensor inner(const Tensor& a, const Tensor& b) { return sum(a * b, {-2, -1}); }

/// The derivative of the cofactors c = det(a) a⁻ᵀ in the direction d: ⟨a⁻ᵀ, d⟩ c - c dᵀ a⁻ᵀ, a symmetric map of d. It is
/// computed without the inverse, which singular matrices do not have.
struct CofactorsDerivative {
  static constexpr std::string_view name = "linalg::det";

  std::string_view title() const { return "cofactors_derivative"; }
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const {
    kernels::cofactors_derivative(matrices(name, in[0]), in[0].data, in[1].data, out[0].data);
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    const Tensor of_a = ct.wanted(0) ? second(node, ct[0]) : Tensor();
    return {of_a, apply_op(CofactorsDerivative(), {node.input(0), ct[0]})};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    const Tensor by_a = t[0].defined() ? second(node, t[0]) : Tensor();
    const Tensor by_d = t[1].defined() ? apply_op(CofactorsDerivative(), {node.input(0), t[1]}) : Tensor();
    return {!by_a.defined() ? by_d : !by_d.defined() ? by_a : by_a + by_d};
  }
  Tensors vmap(const Node& node, const BatchedInputs& in) const {
    Shape samples = node.spec(0).shape;
    samples.insert(0, in.size);
    return {apply_op(CofactorsDerivative(), {broadcast_to(in[0], samples), broadcast_to(in[1], samples)})};
  }

 private:
  // The second derivative in the directions d and e, symmetric in them: with y = a⁻ᵀ and dy = -y eᵀ y.
  Tensor second(const Node& node, const Tensor& e) const;
};

/// c = det(a) a⁻ᵀ, the derivative of the determinant.
struct Cofactors {
  static constexpr std::string_view name = "linalg::det";
  static constexpr bool maps_leading_axes = true;

  std::string_view title() const { return "cofactors"; }
  Spec infer(Inputs in) const { return {in[0].shape(), in[0].dtype()}; }
  void eval(ConstViews in, Views out) const { kernels::cofactors(matrices(name, in[0]), in[0].data, out[0].data); }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    return {apply_op(CofactorsDerivative(), {node.input(0), ct[0]})};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    return {apply_op(CofactorsDerivative(), {node.input(0), t[0]})};
  }
};

Tensor CofactorsDerivative::second(const Node& node, const Tensor& e) const {
  const Tensor& a = node.input(0);
  const Tensor& d = node.input(1);
  const Tensor c = apply_op(Cofactors(), {a});
  const Tensor dc = apply_op(CofactorsDerivative(), {a, e});
  const Tensor y = transposed(linalg::inv(a));
  const Tensor dy = -exact_matmul(exact_matmul(y, transposed(e)), y);
  const auto traced = [](const Tensor& p, const Tensor& q) { return as_matrices(inner(p, q)); };
  return traced(dy, d) * c + traced(y, d) * dc - exact_matmul(exact_matmul(dc, transposed(d)), y) -
         exact_matmul(exact_matmul(c, transposed(d)), dy);
}

struct Determinant {
  static constexpr std::string_view name = "linalg::det";
  static constexpr bool maps_leading_axes = true;

  Spec infer(Inputs in) const { return number_per_matrix(name, in); }
  void eval(ConstViews in, Views out) const {
    if (in[0].size() == 0) {  // products of no numbers
      return kernels::fill(out[0].dtype(), out[0].data, out[0].size(), 1);
    }
    kernels::determinant(matrices(name, in[0]), in[0].data, out[0].data);
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    return {as_matrices(ct[0]) * apply_op(Cofactors(), {node.input(0)})};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    return {inner(apply_op(Cofactors(), {node.input(0)}), t[0])};
  }
};

/// d log det(a) = tr(a⁻¹ da).
struct LogDeterminant {
  static constexpr std::string_view name = "linalg::logdet";
  static constexpr bool maps_leading_axes = true;

  Spec infer(Inputs in) const { return number_per_matrix(name, in); }
  void eval(ConstViews in, Views out) const {
    if (in[0].size() == 0) {
      return kernels::fill(out[0].dtype(), out[0].data, out[0].size(), 0);
    }
    kernels::log_determinant(matrices(name, in[0]), in[0].data, out[0].data);
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    return {as_matrices(ct[0]) * transposed(linalg::inv(node.input(0)))};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    return {inner(transposed(linalg::inv(node.input(0))), t[0])};
  }
};

/// Sign and logarithm of |det a|, whose derivative is that of log det.
struct SignAndLogDeterminant {
  static constexpr std::string_view name = "linalg::slogdet";
  static constexpr bool maps_leading_axes = true;

  Specs infer(Inputs in) const {
    const Spec number = number_per_matrix(name, in);
    return {number, number};
  }
  void eval(ConstViews in, Views out) const {
    if (in[0].size() == 0) {
      kernels::fill(out[0].dtype(), out[0].data, out[0].size(), 1);
      return kernels::fill(out[1].dtype(), out[1].data, out[1].size(), 0);
    }
    kernels::sign_and_log_determinant(matrices(name, in[0]), in[0].data, out[0].data, out[1].data);
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const {
    return {ct[1].defined() ? as_matrices(ct[1]) * transposed(linalg::inv(node.input(0))) : Tensor()};
  }
  Tensors jvp(const Node& node, const Tangents& t) const {
    return {Tensor(), inner(transposed(linalg::inv(node.input(0))), t[0])};
  }
};

// Axes in front of the matrices of both operands broadcast.
Spec infer_solution(std::string_view op, Inputs in) {
  require_square(op, in[0]);
  require_matrices(op, in[1]);
  if (in[0].dtype() != in[1].dtype()) {
    raise<DTypeError>(op,
                      phrase("a is {}, b is {}; cast one of them", to_string(in[0].dtype()), to_string(in[1].dtype())));
  }
  if (in[0].shape(-1) != in[1].shape(-2)) {
    raise<ShapeError>(op, phrase("a of shape {} and b of shape {} are not a system: b must have {} rows",
                                 to_string(in[0].shape()), to_string(in[1].shape()), in[0].shape(-1)));
  }
  const Shape batch = broadcast_shapes(op, leading_axes(in[0].shape()), leading_axes(in[1].shape()));
  return {joined(batch, {in[1].shape(-2), in[1].shape(-1)}), in[0].dtype()};
}

/// x = op(a)⁻¹ b, where op transposes when asked to. With y = op(a)⁻ᵀ ct:
///   dx = op(a)⁻¹ (db - op(da) x)    b's cotangent: y    op(a)'s cotangent: -y xᵀ
/// \p Solver is the operation, \p in_pattern restricts a matrix to the elements of a that are read.
template <class Solver>
Tensors solution_vjp(const Solver& solver, const Node& node, const Cotangents& ct) {
  const Tensor x = node.output(0);
  const Tensor y = apply_op(solver.adjoint(), {node.input(0), ct[0]});
  Tensor of_a;
  if (ct.wanted(0)) {
    of_a = solver.in_pattern(-(solver.transpose ? exact_matmul(x, transposed(y)) : exact_matmul(y, transposed(x))));
  }
  return {of_a, y};
}

template <class Solver>
Tensors solution_jvp(const Solver& solver, const Node& node, const Tangents& t) {
  Tensor side = t[1];
  if (t[0].defined()) {
    const Tensor da = solver.in_pattern(t[0]);
    const Tensor change = exact_matmul(solver.transpose ? transposed(da) : da, node.output(0));
    side = side.defined() ? side - change : -change;
  }
  return {apply_op(solver, {node.input(0), side})};
}

template <class Solver>
Tensors solution_vmap(const Solver& solver, const Node& node, const BatchedInputs& in) {
  return {apply_op(solver, align_samples(node, in, node.spec(0).shape.ndim()))};
}

struct Solve {
  static constexpr std::string_view name = "linalg::solve";
  bool transpose;
  static constexpr auto attributes = fields("transpose", &Solve::transpose);

  Solve adjoint() const { return {!transpose}; }
  Tensor in_pattern(const Tensor& a) const { return a; }

  Spec infer(Inputs in) const { return infer_solution(name, in); }
  void eval(ConstViews in, Views out) const {
    const kernels::Matrices a = matrices(name, in[0]);
    const BroadcastSides broadcast(in[0], in[1], out[0]);
    Array lu(in[0].shape(), in[0].dtype());
    std::vector<int> exchanges(static_cast<std::size_t>(a.count * a.rows));
    kernels::factorize_lu(a, in[0].data, lu.data(), exchanges.data());
    kernels::solve_lu(a, transpose, lu.data(), exchanges.data(), broadcast.sides());
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const { return solution_vjp(*this, node, ct); }
  Tensors jvp(const Node& node, const Tangents& t) const { return solution_jvp(*this, node, t); }
  Tensors vmap(const Node& node, const BatchedInputs& in) const { return solution_vmap(*this, node, in); }
};

struct SolveTriangular {
  static constexpr std::string_view name = "linalg::solve_triangular";
  bool lower;
  bool transpose;
  bool unit = false;  ///< the diagonal is not read and taken for 1
  static constexpr auto attributes = fields("lower", &SolveTriangular::lower, "transpose", &SolveTriangular::transpose,
                                            "unit", &SolveTriangular::unit);

  SolveTriangular adjoint() const { return {lower, !transpose, unit}; }
  Tensor in_pattern(const Tensor& a) const { return lower ? tril(a, unit ? -1 : 0) : triu(a, unit ? 1 : 0); }

  Spec infer(Inputs in) const { return infer_solution(name, in); }
  void eval(ConstViews in, Views out) const {
    const BroadcastSides broadcast(in[0], in[1], out[0]);
    kernels::solve_triangular(matrices(name, in[0]), lower, transpose, unit, in[0].data, broadcast.sides());
  }
  Tensors vjp(const Node& node, const Cotangents& ct) const { return solution_vjp(*this, node, ct); }
  Tensors jvp(const Node& node, const Tangents& t) const { return solution_jvp(*this, node, t); }
  Tensors vmap(const Node& node, const BatchedInputs& in) const { return solution_vmap(*this, node, in); }
};

// A vector on the right is a matrix of one column.
template <class Solver>
Tensor solution(const Solver& solver, const Operand& a, const Operand& b) {
  const SourceScope scope(a);
  const Tensor left = a.tensor();
  const Tensor right = b.tensor();
  const bool vector = right.ndim() == 1;
  const Tensor x = apply_op(solver, {left, vector ? reshape(right, {right.size(), 1}) : right}, a.where());
  if (!vector) {
    return x;
  }
  Shape shape = x.shape();
  shape.erase(shape.ndim() - 1);
  return reshape(x, shape);
}

}  // namespace

Tensor solve_with_triangle(const Tensor& a, const Tensor& b, bool lower, bool transpose) {
  return apply_op(SolveTriangular{lower, transpose}, {a, b});
}

namespace linalg {

Tensor inv(const Operand& a) { return apply_op(Inverse(), {a.tensor()}, a.where()); }
Tensor det(const Operand& a) { return apply_op(Determinant(), {a.tensor()}, a.where()); }
Tensor logdet(const Operand& a) { return apply_op(LogDeterminant(), {a.tensor()}, a.where()); }
Tensor solve(const Operand& a, const Operand& b) { return solution(Solve{false}, a, b); }
Tensor solve_triangular(const Operand& a, const Operand& b, bool lower) {
  return solution(SolveTriangular{lower, false}, a, b);
}

// x a = b is aᵀ xᵀ = bᵀ.
Tensor solve_triangular(const Operand& a, const Operand& b, bool lower, Side side, Diagonal diagonal) {
  const SourceScope scope(a);
  const bool right = side == Side::right;
  const SolveTriangular solver{lower, right, diagonal == Diagonal::unit};
  const Tensor sides = b.tensor();
  if (!right || sides.ndim() == 1) {
    return solution(solver, a, sides);
  }
  located(a.where(), [&] { require_matrices(SolveTriangular::name, sides); });
  return transposed(solution(solver, a, transposed(sides)));
}

SlogDet slogdet(const Operand& a) {
  const Tensors parts = apply_op_all(SignAndLogDeterminant(), Tensors{a.tensor()}, a.where());
  return {stop_gradient(parts[0]), parts[1]};
}

}  // namespace linalg

}  // namespace xgrad
