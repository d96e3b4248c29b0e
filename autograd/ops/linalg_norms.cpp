#include <cmath>
#include <limits>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/composed.hpp"
#include "autograd/ops/linalg.hpp"
#include "autograd/ops/linalg_parts.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"

/// \file
/// Norms of vectors and matrices, made of other ops.

namespace xgrad::linalg {

namespace {

constexpr std::string_view vector_norm_name = "linalg::vector_norm";
constexpr std::string_view matrix_norm_name = "linalg::matrix_norm";

// (Σ |x|ᵖ)^(1 / p). What is raised to a power is divided by the largest |x|, for p < 0 by the smallest, so that it is at most
// 1; the norm does not depend on that divisor, which is a constant to derivatives. 0 has no part in the sum for p > 0, and
// for p < 0 makes the norm 0.
Tensor power_norm(const Tensor& x, double p, const Axes& axes, bool keepdims) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (x.size() == 0) {
    return pow(sum(x, axes, keepdims), 1 / p);  // 0, and for p < 0 infinite
  }
  const Tensor size = abs(x);
  const Tensor extreme = stop_gradient(p > 0 ? amax(size, axes, true) : amin(size, axes, true));
  const Tensor unit = map([](Scalar a) { return where(logical_or(a == 0, a == infinity), 1, a); }, extreme);
  const auto power = [p](Scalar a, Scalar b) { return p > 0 ? where(a == 0, 0, pow(a / b, p)) : pow(a / b, p); };
  const Tensor total = sum(map(power, size, unit), axes, keepdims);
  const auto root = [p](Scalar s, Scalar b) { return p > 0 ? b * where(s == 0, 0, pow(s, 1 / p)) : b * pow(s, 1 / p); };
  return map(root, total, reshape(unit, total.shape()));
}

}  // namespace

Tensor vector_norm(const Operand& x, double order, const Axes& axes, bool keepdims) {
  const SourceScope scope(x);
  return located(x.where(), [&] {
    const Tensor input = x.tensor();
    require_floating(vector_norm_name, input.dtype());
    reduced_axes(vector_norm_name, axes, input.ndim());
    if (std::isnan(order)) {
      raise<ValueError>(vector_norm_name, "the order is NaN; give a number, or infinity");
    }
    if (std::isinf(order)) {
      return order > 0 ? amax(abs(input), axes, keepdims) : amin(abs(input), axes, keepdims);
    }
    if (order == 0) {
      return sum(cast(input != 0, input.dtype()), axes, keepdims);
    }
    return order == 2   ? norm(input, axes, keepdims)
           : order == 1 ? sum(abs(input), axes, keepdims)
                        : power_norm(input, order, axes, keepdims);
  });
}

Tensor matrix_norm(const Operand& a, MatrixNorm order, bool keepdims) {
  const SourceScope scope(a);
  return located(a.where(), [&] {
    const Tensor matrix = a.tensor();
    require_matrices(matrix_norm_name, matrix);
    const auto sums = [&](std::int64_t axis) { return sum(abs(matrix), axis); };
    const auto result = [&] {
      switch (order) {
        case MatrixNorm::nuc: return sum(svdvals(matrix), -1);
        case MatrixNorm::one: return amax(sums(-2), -1);
        case MatrixNorm::minus_one: return amin(sums(-2), -1);
        case MatrixNorm::inf: return amax(sums(-1), -1);
        case MatrixNorm::minus_inf: return amin(sums(-1), -1);
        case MatrixNorm::two: return amax(svdvals(matrix), -1);
        case MatrixNorm::minus_two: return amin(svdvals(matrix), -1);
        case MatrixNorm::fro: break;
      }
      return norm(matrix, {-2, -1});
    }();
    return keepdims ? as_matrices(result) : result;
  });
}

}  // namespace xgrad::linalg
