// Sensitivity of a simulation: how a trajectory's end depends on the parameters, through a thousand time steps.
//
// A damped pendulum, θ'' = -(g / l) sin θ - c θ', in steps of the semi-implicit Euler method. `checkpoint` keeps only the
// state between stretches of 50 steps; what happens inside a stretch is computed again in the backward pass.

#include <cmath>
#include <cstdio>

#include <autograd/autograd.hpp>

using namespace xgrad;

namespace {

constexpr int stretches = 20;
constexpr int steps = 50;
constexpr double dt = 0.005;

// state = (angle, velocity), parameters = (g / l, c).
Tensor stretch(const Tensor& state, const Tensor& parameters) {
  Tensor angle = state[0];
  Tensor velocity = state[1];
  for (int i = 0; i < steps; ++i) {
    velocity = velocity - dt * (parameters[0] * sin(angle) + parameters[1] * velocity);
    angle = angle + dt * velocity;
  }
  return stack({angle, velocity});
}

template <class Stretch>
Tensor final_angle(const Stretch& advance, const Tensor& parameters) {
  Tensor state = {1.0, 0.0};
  for (int i = 0; i < stretches; ++i) {
    state = advance(state, parameters);
  }
  return state[0];
}

}  // namespace

int main() {
  const Tensor parameters = {9.81, 0.3};
  const auto all_kept = [](const Tensor& p) { return final_angle(stretch, p); };
  const auto checkpointed = [](const Tensor& p) { return final_angle(checkpoint(stretch), p); };

  const Tensor sensitivity = grad(checkpointed)(parameters);
  std::printf("angle after %.0f s: %.6f\n", stretches * steps * dt, all_kept(parameters).item());
  std::printf("d angle / d(g/l): %.6f   d angle / dc: %.6f\n", sensitivity[0].item(), sensitivity[1].item());

  // The same without checkpoints, and by differences.
  const double h = 1e-5;
  const Tensor nudge = {h, 0.0};
  const double difference = (all_kept(parameters + nudge).item() - all_kept(parameters - nudge).item()) / (2 * h);
  const bool agree = allclose(sensitivity, grad(all_kept)(parameters), 1e-10, 1e-12) &&
                     std::abs(difference - sensitivity[0].item()) < 1e-6;
  std::printf("%s\n", agree ? "check: equal to the gradient without checkpoints, and to differences"
                            : "check failed: the gradients differ");
  return agree ? 0 : 1;
}
