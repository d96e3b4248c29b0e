#include "benchmarks/gradbench/ode.hpp"

#include <algorithm>

#include "benchmarks/gradbench/by_xgrad.hpp"
#include "benchmarks/gradbench/objectives.hpp"

namespace gradbench {

namespace {

using xgrad::Tensor, xgrad::range;

/// y(2)
Tensor solve(const Tensor& x, std::int64_t steps) {
  const double h = 2 / static_cast<double>(steps);
  const auto slope = [&](const Tensor& y) { return x * pad(y[range(0, -1)], {1}, {0}, 1.0); };
  const auto step = [&](const Tensor& y, const Tensor&) {
    const Tensor k1 = slope(y);
    const Tensor k2 = slope(y + h / 2 * k1);
    const Tensor k3 = slope(y + h / 2 * k2);
    const Tensor k4 = slope(y + h * k3);
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
  };
  return scan(step, zeros_like(x), steps);
}

/// Adds the cotangents dx and dy of xᵢ yᵢ₋₁.
void slope_vjp(const Numbers& x, const Numbers& y, const Numbers& ct, double* dx, Numbers& dy) {
  dx[0] += ct[0];
  for (std::size_t i = 1; i < x.size(); ++i) {
    dx[i] += ct[i] * y[i - 1];
    dy[i - 1] += ct[i] * x[i];
  }
}

Numbers plus(const Numbers& y, double h, const Numbers& k) {
  Numbers result(y);
  for (std::size_t i = 0; i < y.size(); ++i) {
    result[i] += h * k[i];
  }
  return result;
}

void gradient_of(const Ode& problem, double* out) {
  const Numbers& x = problem.parameters;
  const std::size_t n = x.size();
  const double h = problem.step();
  const auto slope = [&](const Numbers& y) {
    Numbers result(n);
    problem.slope(x.data(), y.data(), 0, y.data(), result.data());
    return result;
  };
  std::vector<std::array<Numbers, 4>> stages;  // where the slopes of each step are taken
  Numbers y(n);
  for (std::size_t s = 0; s < problem.size.steps; ++s) {
    const Numbers k1 = slope(y);
    const Numbers y2 = plus(y, h / 2, k1);
    const Numbers k2 = slope(y2);
    const Numbers y3 = plus(y, h / 2, k2);
    const Numbers k3 = slope(y3);
    const Numbers y4 = plus(y, h, k3);
    const Numbers k4 = slope(y4);
    stages.push_back({y, y2, y3, y4});
    for (std::size_t i = 0; i < n; ++i) {
      y[i] += h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
    }
  }
  std::fill(out, out + n, 0.0);
  Numbers ct(n);
  ct[n - 1] = 1;
  const std::array<double, 4> weights{h / 6, h / 3, h / 3, h / 6};
  const std::array<double, 4> distances{0, h / 2, h / 2, h};
  for (std::size_t s = problem.size.steps; s-- > 0;) {
    Numbers before = ct;
    Numbers later(n);  // the cotangent of the stage behind
    for (std::size_t stage = 4; stage-- > 0;) {
      Numbers of_slope(n);
      for (std::size_t i = 0; i < n; ++i) {
        of_slope[i] = weights[stage] * ct[i] + (stage < 3 ? distances[stage + 1] * later[i] : 0);
      }
      std::fill(later.begin(), later.end(), 0.0);
      slope_vjp(x, stages[s][stage], of_slope, out, later);
      before = plus(before, 1, later);
    }
    ct = before;
  }
}

}  // namespace

Objective ode() {
  return make_objective<Ode>("ode", {{4, 20}, {20, 100}, {200, 1'000}}, [](const Ode& problem) {
    const auto steps = static_cast<std::int64_t>(problem.size.steps);
    const auto last = [steps](const Tensor& x) { return solve(x, steps)[-1]; };
    return std::vector{by_xgrad(last, xgrad::grad(last), tensor(problem.parameters)),
                       by_hand(problem, [&problem](double* out) { gradient_of(problem, out); })};
  });
}

}  // namespace gradbench
