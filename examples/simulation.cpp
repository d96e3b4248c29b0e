// Sensitivity of a simulation: how a trajectory's end depends on the parameters, through a thousand time steps.
//
// A damped pendulum, θ'' = -(g / l) sin θ - c θ', in steps of the semi-implicit Euler method. The loop is one operation of the
// graph, whatever the number of steps. With a limit of memory its gradient keeps the state between stretches of steps; what
// happens inside a stretch is computed again in the backward pass.

#include <cmath>
#include <cstdio>

#include <autograd/autograd.hpp>

using namespace xgrad;

namespace {

constexpr int steps = 1000;
constexpr double dt = 0.005;

using State = std::pair<Tensor, Tensor>;  // angle and velocity

// parameters = (g / l, c).
Tensor final_angle(const Tensor& parameters, const ScanOptions& options) {
  const auto step = [&](const State& state, const Tensor&) {
    const auto& [angle, velocity] = state;
    const Tensor next = velocity - dt * (parameters[0] * sin(angle) + parameters[1] * velocity);
    return State(angle + dt * next, next);
  };
  const DType dtype = parameters.dtype();
  return scan(step, State(ones({}, dtype), zeros({}, dtype)), steps, options).first;
}

}  // namespace

int main() {
  const Tensor parameters = {9.81, 0.3};
  const auto all_kept = compile([](const Tensor& p) { return final_angle(p, {}); });
  const auto gradient = [](const ScanOptions& options) {
    return compile(
        [options](const Tensor& p) { return grad([&](const Tensor& q) { return final_angle(q, options); })(p); });
  };
  const auto with_all = gradient({});
  const auto with_little = gradient({.memory = 4'000});

  const Tensor sensitivity = with_little(parameters);
  std::printf("angle after %.0f s: %.6f\n", steps * dt, all_kept(parameters).item());
  std::printf("d angle / d(g/l): %.6f   d angle / dc: %.6f\n", sensitivity[0].item(), sensitivity[1].item());
  std::printf("memory: %zu bytes, without a limit %zu\n", with_little.plan(parameters).peak_bytes(),
              with_all.plan(parameters).peak_bytes());

  // The same without a limit, and by differences.
  const double h = 1e-5;
  const Tensor nudge = {h, 0.0};
  const double difference = (all_kept(parameters + nudge).item() - all_kept(parameters - nudge).item()) / (2 * h);
  const bool agree =
      allclose(sensitivity, with_all(parameters), 1e-10, 1e-12) && std::abs(difference - sensitivity[0].item()) < 1e-6;
  std::printf("%s\n", agree ? "check: equal to the gradient without a limit of memory, and to differences"
                            : "check failed: the gradients differ");
  return agree ? 0 : 1;
}
