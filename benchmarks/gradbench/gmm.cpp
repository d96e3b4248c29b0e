#include "benchmarks/gradbench/gmm.hpp"

#include <algorithm>

#include "benchmarks/gradbench/by_xgrad.hpp"
#include "benchmarks/gradbench/objectives.hpp"

namespace gradbench {

namespace {

using xgrad::Tensor, xgrad::Tensors, xgrad::all, xgrad::newaxis;

/// Where in a triangle, followed by a zero, the elements (d, d) of a strictly lower triangular matrix are.
Tensor places(std::int64_t d) {
  xt::xarray<std::int64_t> result = xt::zeros<std::int64_t>({d, d}) + d * (d - 1) / 2;
  std::int64_t next = 0;
  for (std::int64_t j = 0; j < d; ++j) {
    for (std::int64_t i = j + 1; i < d; ++i) {
      result(i, j) = next++;
    }
  }
  return result;
}

Tensor log_likelihood(const Tensor& alpha, const Tensor& mu, const Tensor& q, const Tensor& l, const Tensor& x,
                      double constant) {
  const auto n = static_cast<double>(x.shape()[0]);
  const Tensor below = take(pad(l, {0, 0}, {0, 1}), places(q.shape()[1]), 1);
  const Tensor factor = diag_embed(exp(q)) + below;                                    // (k, d, d)
  const Tensor residual = matmul(x - mu[{all(), newaxis()}], swapaxes(factor, 1, 2));  // (k, n, d)
  const Tensor exponents = (alpha + sum(q, {1}))[{all(), newaxis()}] - 0.5 * sum(square(residual), {2});
  const Tensor prior = 0.5 * Gmm::gamma * Gmm::gamma * sum(square(factor)) - Gmm::m * sum(q);
  return sum(logsumexp(exponents, {0})) - n * logsumexp(alpha) + prior + constant;
}

void gradient_of(const Gmm& problem, double* out) {
  const auto [n, d, k] = problem.size;
  const std::size_t triangle = problem.triangle();
  const double* p = problem.parameters.data();
  std::fill(out, out + problem.parameters.size(), 0.0);
  Numbers diagonal(k * d), base(k), products(k * d), exponents(k), back(d);
  for (std::size_t c = 0; c < k; ++c) {
    base[c] = p[c];
    for (std::size_t i = 0; i < d; ++i) {
      const double q = p[problem.diagonals() + c * d + i];
      diagonal[c * d + i] = std::exp(q);
      base[c] += q;
    }
  }
  const auto softmax = [k = k](double* x) {
    const double largest = *std::max_element(x, x + k);
    double total = 0;
    for (std::size_t c = 0; c < k; ++c) {
      x[c] = std::exp(x[c] - largest);
      total += x[c];
    }
    for (std::size_t c = 0; c < k; ++c) {
      x[c] /= total;
    }
  };
  for (std::size_t i = 0; i < n; ++i) {
    const double* x = &problem.points[i * d];
    for (std::size_t c = 0; c < k; ++c) {
      const double* mean = p + problem.means() + c * d;
      const double* below = p + problem.triangles() + c * triangle;
      double* product = &products[c * d];
      for (std::size_t j = 0; j < d; ++j) {
        product[j] = diagonal[c * d + j] * (x[j] - mean[j]);
      }
      double squares = 0;
      for (std::size_t j = 0; j < d; ++j) {
        const double r = x[j] - mean[j];
        for (std::size_t l = j + 1; l < d; ++l) {
          product[l] += *below++ * r;
        }
        squares += product[j] * product[j];
      }
      exponents[c] = base[c] - 0.5 * squares;
    }
    softmax(exponents.data());
    for (std::size_t c = 0; c < k; ++c) {
      const double weight = exponents[c];
      const double* mean = p + problem.means() + c * d;
      const double* below = p + problem.triangles() + c * triangle;
      double* of_below = out + problem.triangles() + c * triangle;
      const double* product = &products[c * d];
      out[c] += weight;
      for (std::size_t j = 0; j < d; ++j) {
        const double r = x[j] - mean[j];
        back[j] = diagonal[c * d + j] * product[j];
        for (std::size_t l = j + 1; l < d; ++l) {
          back[j] += *below++ * product[l];
          *of_below++ -= weight * r * product[l];
        }
        out[problem.means() + c * d + j] += weight * back[j];
        out[problem.diagonals() + c * d + j] += weight * (1 - diagonal[c * d + j] * r * product[j]);
      }
    }
  }
  Numbers weights(p, p + k);
  softmax(weights.data());
  const double square = Gmm::gamma * Gmm::gamma;
  for (std::size_t c = 0; c < k; ++c) {
    out[c] -= static_cast<double>(n) * weights[c];
    for (std::size_t j = 0; j < d; ++j) {
      out[problem.diagonals() + c * d + j] += square * diagonal[c * d + j] * diagonal[c * d + j] - Gmm::m;
    }
    for (std::size_t j = 0; j < triangle; ++j) {
      out[problem.triangles() + c * triangle + j] += square * p[problem.triangles() + c * triangle + j];
    }
  }
}

std::vector<Method> methods(const Gmm& problem) {
  const auto [n, d, k] = problem.size;
  const auto f = [constant = problem.constant()](const Tensor& alpha, const Tensor& mu, const Tensor& q,
                                                 const Tensor& l, const Tensor& x) {
    return log_likelihood(alpha, mu, q, l, x, constant);
  };
  const auto part = [&problem](std::size_t from, std::size_t count) {
    const auto begin = problem.parameters.begin() + static_cast<std::ptrdiff_t>(from);
    return Numbers(begin, begin + static_cast<std::ptrdiff_t>(count));
  };
  return {by_xgrad(f, xgrad::grad(f, std::vector<std::size_t>{0, 1, 2, 3}), tensor(part(0, k)),
                   tensor(part(problem.means(), k * d), {k, d}), tensor(part(problem.diagonals(), k * d), {k, d}),
                   tensor(part(problem.triangles(), k * problem.triangle()), {k, problem.triangle()}),
                   tensor(problem.points, {n, d})),
          by_hand(problem, [&problem](double* out) { gradient_of(problem, out); })};
}

}  // namespace

Objective gmm() { return make_objective<Gmm>("gmm", {{100, 2, 5}, {1'000, 10, 25}, {1'000, 20, 200}}, methods); }

}  // namespace gradbench
