// A physics-informed network: solves a differential equation by training a network to satisfy it.
//
//   u''(x) + u(x) = 0,   u(0) = 0,   u'(0) = 1        (the solution is sin x)
//
// The loss contains the second derivative of the network with respect to its input, and is then differentiated with
// respect to the weights: three derivatives through the same graph.

#include <cstdio>

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

using namespace xgrad;

int main() {
  nn::Sequential network(nn::Dense(1, 20), nn::Tanh(), nn::Dense(20, 20), nn::Tanh(), nn::Dense(20, 1));
  network.initialize(random::Key(0));
  nn::Adam adam(network.parameters(), {.learning_rate = 3e-3});
  const int steps = 3000;
  const nn::Schedule rate = nn::schedules::linear(3e-3, 0, steps);

  // u(x) = x + x² network(x) satisfies both initial conditions, whatever the network says.
  const auto u = [&](const Tensor& x) { return x + square(x) * network(x); };
  // Points do not influence each other, so the gradient of the sum holds the derivative at each of them.
  const auto derivative = [](const auto& f) { return grad([f](const Tensor& x) { return sum(f(x)); }); };
  const auto curvature = derivative(derivative(u));

  const Tensor points = reshape(linspace(0, 3, 64), {-1, 1});
  for (int step = 0; step < steps; ++step) {
    adam.learning_rate().assign(rate(step));
    const Tensor loss = mean(square(curvature(points) + u(points)));
    adam.minimize(loss);
    if (step % 500 == 0) {
      std::printf("step %4d  residual %.3e\n", step, loss.item());
    }
  }

  const Tensor between = reshape(linspace(0.05, 2.95, 101), {-1, 1});
  const double error = amax(abs(u(between) - sin(between))).item();
  std::printf("largest error against sin x: %.2e\n", error);
  const bool solved = error < 2e-2;
  std::printf("%s\n", solved ? "check: the network solves the equation" : "check failed: the error is too large");
  return solved ? 0 : 1;
}
