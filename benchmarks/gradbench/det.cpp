#include "benchmarks/gradbench/det.hpp"

#include <algorithm>

#include "benchmarks/gradbench/by_xgrad.hpp"
#include "benchmarks/gradbench/objectives.hpp"

namespace gradbench {

namespace {

using xgrad::Tensor, xgrad::all, xgrad::range;

/// Column numbers (n, n - 1): in row j all but j.
Tensor other_columns(std::int64_t n) {
  xt::xarray<std::int64_t> columns = xt::zeros<std::int64_t>({n, n - 1});
  for (std::int64_t j = 0; j < n; ++j) {
    for (std::int64_t i = 0; i + 1 < n; ++i) {
      columns(j, i) = i < j ? i : i + 1;
    }
  }
  return columns;
}

/// The determinants of matrices (m, n, n): Σⱼ (-1)ʲ a₀ⱼ det Aⱼ, where Aⱼ has neither row 0 nor column j.
Tensor determinants(const Tensor& a) {
  const std::int64_t n = a.shape().back();
  if (n == 1) {
    return squeeze(a, {1, 2});
  }
  const Tensor minors = swapaxes(take(a[{all(), range(1), all()}], other_columns(n), 2), 1, 2);
  const Tensor signs = 1.0 - 2.0 * remainder(xgrad::arange(static_cast<double>(n), xgrad::DType::float64), 2.0);
  const Tensor cofactors = signs * reshape(determinants(reshape(minors, {-1, n - 1, n - 1})), {-1, n});
  return sum(a[{all(), 0}] * cofactors, {1});
}

Tensor determinant(const Tensor& a) { return squeeze(determinants(expand_dims(a, 0))); }

/// Computes a minor and adds the derivatives of ct times it.
double gradient_of(const Det& problem, std::size_t row, unsigned used, double ct, double* out) {
  const std::size_t n = problem.n;
  const double* a = problem.parameters.data();
  if (row == n) {
    return 1;
  }
  double total = 0;
  double sign = 1;
  for (std::size_t j = 0; j < n; ++j) {
    if (!(used >> j & 1)) {
      const double factor = sign * a[row * n + j];
      const double minor = gradient_of(problem, row + 1, used | 1U << j, ct * factor, out);
      out[row * n + j] += ct * sign * minor;
      total += factor * minor;
      sign = -sign;
    }
  }
  return total;
}

}  // namespace

Objective det() {
  return make_objective<Det>("det", {4, 6, 8, 9}, [](const Det& problem) {
    return std::vector{
        by_xgrad(determinant, xgrad::grad(determinant), tensor(problem.parameters, {problem.n, problem.n})),
        by_hand(problem, [&problem](double* out) {
          std::fill(out, out + problem.parameters.size(), 0.0);
          gradient_of(problem, 0, 0, 1, out);
        })};
  });
}

}  // namespace gradbench
