// An ordinary differential equation with adaptive steps, and the derivative of its end point by a parameter: Dormand and
// Prince's method of order 5(4) (A family of embedded Runge-Kutta formulae, 1980) in a while_loop.
//
//   y' = f(y; μ), y(0) = y₀;   d y(T) / dμ
//
// How many steps there are depends on the numbers; the loop is one operation of the graph all the same, and the gradient goes
// back through the steps that were taken. `max_steps` says for how many of them memory is set aside.

#include <array>
#include <cmath>
#include <cstdio>

#include <autograd/autograd.hpp>

using namespace xgrad;

namespace {

constexpr double end = 10;
constexpr double accuracy = 1e-9;

// Van der Pol's oscillator, y = (x, x'): x'' = μ (1 - x²) x' - x.
Tensor slope(const Tensor& y, const Tensor& mu) {
  const Tensor x = y[0];
  const Tensor v = y[1];
  return stack({v, mu * (1 - square(x)) * v - x});
}

// The weights of the slopes so far at each stage; the last row is the solution of order 5 at the end of the step.
constexpr std::array<std::array<double, 6>, 6> stages = {{
    {1.0 / 5},
    {3.0 / 40, 9.0 / 40},
    {44.0 / 45, -56.0 / 15, 32.0 / 9},
    {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
    {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
    {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
}};
// Those of the difference from the solution of order 4.
constexpr std::array<double, 7> error_weights = {71.0 / 57600,      0,          -71.0 / 16695, 71.0 / 1920,
                                                 -17253.0 / 339200, 22.0 / 525, -1.0 / 40};

template <std::size_t N>
Tensor weighted_sum(const std::array<double, N>& weights, const Tensors& slopes) {
  Tensor sum = weights[0] * slopes[0];
  for (std::size_t i = 1; i < slopes.size(); ++i) {
    sum = sum + weights[i] * slopes[i];
  }
  return sum;
}

// Time, y, its slope there, and how long a step to try.
using State = std::array<Tensor, 4>;

// One step, taken if the estimate of its error is small enough; else the next one is shorter.
State advance(const State& state, const Tensor& mu) {
  const auto& [time, y, first, wanted] = state;
  const Tensor step = minimum(wanted, end - time);
  Tensors slopes = {first};
  Tensor next;
  for (const auto& weights : stages) {
    next = y + step * weighted_sum(weights, slopes);
    slopes.push_back(slope(next, mu));
  }
  const Tensor scale = accuracy * (1 + maximum(abs(y), abs(next)));
  const Tensor error = sqrt(mean(square(step * weighted_sum(error_weights, slopes) / scale)));
  const Tensor taken = error <= 1;
  const Tensor factor = clip(0.9 * pow(maximum(error, 1e-10), -0.2), 0.2, 5.0);
  return {where(taken, time + step, time), where(taken, next, y), where(taken, slopes.back(), first), step * factor};
}

WhileResult<State> solve(const Tensor& mu) {
  const Tensor y = {2.0, 0.0};
  return while_loop([](const State& state) { return state[0] < end; },
                    [&](const State& state) { return advance(state, mu); }, State{0.0, y, slope(y, mu), 0.01},
                    {.max_steps = 2000});
}

Tensor position_at_end(const Tensor& mu) { return solve(mu).carry[1][0]; }

}  // namespace

int main() {
  const Tensor mu = 1.5;
  const WhileResult<State> solution = solve(mu);
  const auto [position, gradient] = value_and_grad(position_at_end)(mu);
  const auto [same, tangent] = jvp(position_at_end, {mu}, {Tensor(1.0)});
  std::printf("x(%.0f) = %.9f after %d steps, some of them tried in vain\n", end, position.item(),
              solution.steps.item<int>());
  std::printf("d x(%.0f) / dμ, reverse mode:       %.9f\n", end, gradient.item());
  std::printf("d x(%.0f) / dμ, forward mode:       %.9f\n", end, tangent.item());

  const double h = 1e-5;
  const double difference = (position_at_end(mu + h).item() - position_at_end(mu - h).item()) / (2 * h);
  std::printf("d x(%.0f) / dμ, central difference: %.9f\n", end, difference);
  const bool agree = solution.finished.item<bool>() && std::abs(gradient.item() - difference) < 1e-6 &&
                     std::abs(gradient.item() - tangent.item()) < 1e-10;
  std::printf("%s\n", agree ? "check: the gradient is the difference" : "check failed: the derivatives differ");
  return agree ? 0 : 1;
}
