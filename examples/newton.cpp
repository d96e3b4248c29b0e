// Newton's method: minimise a function with its exact Hessian.
//
//   x ← x - H(x)⁻¹ ∇f(x),   H = ∂²f / ∂x²
//
// On Rosenbrock's banana-shaped valley, where gradient descent needs thousands of steps, it needs a handful.

#include <cstdio>

#include <autograd/autograd.hpp>

using namespace xgrad;

// f(x) = Σ 100 (x_{i+1} - x_i²)² + (1 - x_i)², with its minimum 0 at x = (1, ..., 1).
Tensor rosenbrock(const Tensor& x) {
  const Tensor head = x[range(0, -1)];
  const Tensor tail = x[range(1)];
  return sum(100 * square(tail - square(head)) + square(1 - head));
}

int main() {
  const auto gradient = grad(rosenbrock);
  const auto curvature = hessian(rosenbrock);
  Tensor x = {-0.5, 0.8, 0.3, 1.4};
  double slope = 1;
  int step = 0;
  for (; step < 50 && slope > 1e-10; ++step) {
    const Tensor g = gradient(x);
    const Tensor direction = linalg::solve(curvature(x), g);
    // Halve the step until it goes down: far from the minimum the quadratic model may overshoot.
    double t = 1;
    while (t > 1e-8 && rosenbrock(x - t * direction).item() > rosenbrock(x).item()) {
      t /= 2;
    }
    x = (x - t * direction).detach();
    slope = norm(gradient(x)).item();
    std::printf("step %2d  f %.3e  |gradient| %.3e\n", step + 1, rosenbrock(x).item(), slope);
  }
  const bool found = allclose(x, ones({4}, DType::float64), 1e-8, 1e-8);
  std::printf("%s\n", found ? "check: the minimum (1, 1, 1, 1) is found" : "check failed: not at the minimum");
  return found ? 0 : 1;
}
