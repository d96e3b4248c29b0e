#include "benchmarks/gradbench/kmeans.hpp"

#include <algorithm>

#include "benchmarks/gradbench/by_xgrad.hpp"
#include "benchmarks/gradbench/objectives.hpp"

namespace gradbench {

namespace {

using xgrad::Tensor;

/// |p - c|² = |p|² - 2 p · c + |c|², so that what takes the time is a product of matrices.
Tensor cost(const Tensor& c, const Tensor& points) {
  const Tensor distances =
      sum(square(points), {1}, true) - 2.0 * matmul(points, transpose(c)) + sum(square(c), {1});  // (n, k)
  return sum(amin(distances, {1}));
}

/// The gradient over H 1, which is the diagonal of the Hessian H where that is diagonal.
Tensor direction(const Tensor& c, const Tensor& points) {
  const auto gradient = xgrad::grad([&](const Tensor& at) { return cost(at, points); });
  const auto [slope, curvature] = jvp(gradient, {c}, {ones_like(c)});
  return slope / curvature;
}

/// cⱼ less the mean of the points that are nearest to it
void direction_of(const Kmeans& problem, double* out) {
  const auto [n, k, d] = problem.size;
  std::vector<double> members(k);
  std::fill(out, out + k * d, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const double* point = &problem.points[i * d];
    std::size_t nearest = 0;
    double least = 1e300;
    for (std::size_t j = 0; j < k; ++j) {
      double distance = 0;
      for (std::size_t l = 0; l < d; ++l) {
        const double difference = point[l] - problem.parameters[j * d + l];
        distance += difference * difference;
      }
      if (distance < least) {
        least = distance;
        nearest = j;
      }
    }
    ++members[nearest];
    for (std::size_t l = 0; l < d; ++l) {
      out[nearest * d + l] += point[l];
    }
  }
  for (std::size_t j = 0; j < k; ++j) {
    for (std::size_t l = 0; l < d; ++l) {
      out[j * d + l] = problem.parameters[j * d + l] - out[j * d + l] / members[j];
    }
  }
}

/// First and second differences. The second: the cost is quadratic in each centre as long as no point changes its own.
Numbers expected(const Kmeans& problem) {
  Numbers at = problem.parameters;
  Numbers result(at.size());
  const double step = 1e-4;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double here = at[i];
    const double cost = problem(at.data());
    at[i] = here + step;
    const double above = problem(at.data());
    at[i] = here - step;
    const double below = problem(at.data());
    at[i] = here;
    result[i] = step / 2 * (above - below) / (above - 2 * cost + below);
  }
  return result;
}

}  // namespace

Objective kmeans() {
  return make_objective<Kmeans>(
      "kmeans", {{300, 4, 2}, {10'000, 16, 8}, {50'000, 50, 16}},
      [](const Kmeans& problem) {
        const auto [n, k, d] = problem.size;
        return std::vector{
            by_xgrad(cost, direction, tensor(problem.parameters, {k, d}), tensor(problem.points, {n, d})),
            by_hand(problem, [&problem](double* out) { direction_of(problem, out); })};
      },
      expected);
}

}  // namespace gradbench
