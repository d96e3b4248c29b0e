#include <cmath>

#include "benchmarks/gradbench/by_xgrad.hpp"
#include "benchmarks/gradbench/nested.hpp"
#include "benchmarks/gradbench/objectives.hpp"

namespace gradbench {

namespace {

using xgrad::Tensor;
using Vector = std::array<double, 2>;

/// Which w lets a particle arrive at the origin: it starts at (0, 8) with velocity (0.75, 0), and is pushed away by charges at
/// (10, 10 - w) and (10, 0). Its path is followed by Euler's method, and ends on the first axis, at x: x² is made least.
struct Particle {
  using Size = Modes;
  static constexpr double time_step = 0.1;
  Modes modes;

  explicit Particle(Modes m) : modes(m) {}
  std::string title() const { return modes.title(); }
};

Tensor vector(const Tensor& x, const Tensor& y) { return xgrad::stack({x, y}); }

/// x² at the end of the path.
Tensor miss(const Tensor& w, Mode mode) {
  const Tensor ten = full_like(w, 10);
  const Tensor charges = xgrad::stack({vector(ten, 10.0 - w), vector(ten, zeros_like(w))});
  const auto potential = [&](const Tensor& at) { return sum(1.0 / norm(at - charges, {1})); };
  using State = std::pair<Tensor, Tensor>;  // place and velocity
  const auto above = [](const State& s) { return (s.first + Particle::time_step * s.second)[1] > 0.0; };
  const auto step = [&](const State& s) {
    return State{s.first + Particle::time_step * s.second,
                 s.second - Particle::time_step * gradient(potential, s.first, mode)};
  };
  const State first{vector(zeros_like(w), full_like(w, 8)), vector(full_like(w, 0.75), zeros_like(w))};
  const auto [place, velocity] = while_loop(above, step, first, {.max_steps = 2000}).carry;
  return square(place[0] - place[1] / velocity[1] * velocity[0]);
}

Tensor best_field(const Tensor& start, Modes modes) {
  return argmin([&](const Tensor& w) { return miss(w, modes.inner); }, start, modes.outer);
}

/// The end of the path, and its derivative.
std::array<double, 2> end_of(double w) {
  const std::array<Vector, 2> charges{{{10, 10 - w}, {10, 0}}};
  const std::array<Vector, 2> of_charges{{{0, -1}, {0, 0}}};
  const double dt = Particle::time_step;
  Vector x{0, 8}, v{0.75, 0}, dx{}, dv{};
  while (x[1] + dt * v[1] > 0) {
    Vector a{}, da{};
    for (int c = 0; c < 2; ++c) {
      const Vector u{x[0] - charges[c][0], x[1] - charges[c][1]};
      const Vector du{dx[0] - of_charges[c][0], dx[1] - of_charges[c][1]};
      const double squared = u[0] * u[0] + u[1] * u[1];
      const double cubed = squared * std::sqrt(squared);
      const double along = 3 * (u[0] * du[0] + u[1] * du[1]) / squared;
      for (int i = 0; i < 2; ++i) {
        a[i] += u[i] / cubed;  // against the gradient of 1 / |u|
        da[i] += (du[i] - along * u[i]) / cubed;
      }
    }
    for (int i = 0; i < 2; ++i) {
      x[i] += dt * v[i];
      dx[i] += dt * dv[i];
      v[i] += dt * a[i];
      dv[i] += dt * da[i];
    }
  }
  const double time = -x[1] / v[1];
  const double of_time = (-dx[1] - time * dv[1]) / v[1];
  return {x[0] + time * v[0], dx[0] + of_time * v[0] + time * dv[0]};
}

std::vector<Method> methods(const Particle& problem) {
  const auto f = [mode = problem.modes.inner](const Tensor& w) { return miss(w, mode); };
  const auto best = [modes = problem.modes](const Tensor& w) { return best_field(w, modes); };
  const auto value = [](const std::array<double, 1>& w) {
    const double x = end_of(w[0])[0];
    return x * x;
  };
  const auto slope = [](const std::array<double, 1>& w) {
    const auto [x, dx] = end_of(w[0]);
    return std::array<double, 1>{2 * x * dx};
  };
  return {by_xgrad(f, best, Tensor(0.0)),
          by_hand([=](double* out) { *out = value({0}); }, 1,
                  [=](double* out) { *out = argmin(value, slope, std::array<double, 1>{0})[0]; }, 1)};
}

/// Where the path ends at 0, by bisection.
Numbers expected(const Particle&) {
  double low = 0;
  double high = 1;
  while (high - low > 1e-12) {
    const double middle = (low + high) / 2;
    (end_of(middle)[0] * end_of(low)[0] > 0 ? low : high) = middle;
  }
  return {low};
}

}  // namespace

Objective particle() {
  Objective result = make_objective<Particle>("particle", {ff, fr, rf, rr}, methods, expected, 1e-4);
  result.checked = 4;
  return result;
}

}  // namespace gradbench
