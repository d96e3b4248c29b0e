// Programs on single numbers, as robotics, chemistry and ecology have them, each beside what one writes by hand.

#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "benchmarks/micro/micro.hpp"

using namespace xgrad;

namespace {

/// A compiled call, and what tracing and planning it takes.
template <class F, class... Arguments>
void plan(benchmark::State& state, const F& f, const Arguments&... arguments) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(compile(f).plan(arguments...));
  }
}

Tensor numbers_of(const std::vector<double>& values) {
  Array array({static_cast<std::int64_t>(values.size())}, DType::float64);
  std::copy(values.begin(), values.end(), array.data<double>());
  return Tensor(array);
}

// A robot arm of six joints, in Denavit and Hartenberg's parameters: where its hand is, and how it is turned (roll, pitch
// and yaw), as a function of the joints' angles.

constexpr int joints = 6;
constexpr std::array<double, joints> link_length = {0, 0.4318, 0.0203, 0, 0, 0};
constexpr std::array<double, joints> link_offset = {0.6718, 0, 0.1501, 0.4318, 0, 0.0563};
constexpr std::array<int, joints> twist_sine = {1, 0, -1, 1, -1, 0};  // of 90, 0, -90, 90, -90 and 0 degrees
constexpr std::array<int, joints> twist_cosine = {0, 1, 0, 0, 0, 1};
const std::vector<double> arm_angles = {0.1, -0.4, 0.7, 0.3, 0.9, -0.2};

Tensor arm(const Tensor& angles) {
  std::vector<std::vector<Tensor>> rotation;  // by columns
  Tensors position;
  for (std::size_t j = 0; j < joints; ++j) {
    const Tensor angle = angles[static_cast<std::int64_t>(j)];
    const Tensor c = cos(angle);
    const Tensor s = sin(angle);
    if (j == 0) {
      const Tensor zero = zeros({}, DType::float64);
      rotation = {{c, s, zero}, {zero, zero, zero + 1}, {s, -c, zero}};
      position = {zero, zero, zero + link_offset[0]};
      continue;
    }
    Tensors x, y, z, next;
    for (std::size_t i = 0; i < 3; ++i) {
      const Tensor turned_x = rotation[0][i] * c + rotation[1][i] * s;
      const Tensor turned_y = rotation[1][i] * c - rotation[0][i] * s;
      next.push_back(position[i] + rotation[2][i] * link_offset[j] + turned_x * link_length[j]);
      x.push_back(turned_x);
      y.push_back(turned_y * twist_cosine[j] + rotation[2][i] * twist_sine[j]);
      z.push_back(rotation[2][i] * twist_cosine[j] - turned_y * twist_sine[j]);
    }
    rotation = {x, y, z};
    position = next;
  }
  const Tensor roll = atan2(rotation[1][2], rotation[2][2]);
  const Tensor pitch = atan2(-rotation[0][2], sqrt(square(rotation[1][2]) + square(rotation[2][2])));
  const Tensor yaw = atan2(rotation[0][1], rotation[0][0]);
  return stack({position[0], position[1], position[2], roll, pitch, yaw});
}

/// The same and its Jacobian, row by row, in forward mode.
void arm_by_hand(const double* angles, double* jacobian) {
  using Vector = std::array<double, 3>;
  const auto cross = [](const Vector& a, const Vector& b) {
    return Vector{a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
  };
  Vector x{1, 0, 0}, y{0, 1, 0}, z{0, 0, 1}, p{0, 0, 0};
  std::array<Vector, joints> axis, origin;
  for (std::size_t j = 0; j < joints; ++j) {
    const double c = std::cos(angles[j]);
    const double s = std::sin(angles[j]);
    axis[j] = z;
    origin[j] = p;
    for (std::size_t i = 0; i < 3; ++i) {
      const double turned_x = x[i] * c + y[i] * s;
      const double turned_y = y[i] * c - x[i] * s;
      p[i] += z[i] * link_offset[j] + turned_x * link_length[j];
      x[i] = turned_x;
      y[i] = turned_y * twist_cosine[j] + z[i] * twist_sine[j];
      z[i] = z[i] * twist_cosine[j] - turned_y * twist_sine[j];
    }
  }
  const double planar = y[2] * y[2] + z[2] * z[2];
  const double root = std::sqrt(planar);
  for (std::size_t j = 0; j < joints; ++j) {  // a rotation about the joint's axis moves what is behind it
    const Vector moved = cross(axis[j], {p[0] - origin[j][0], p[1] - origin[j][1], p[2] - origin[j][2]});
    const Vector dx = cross(axis[j], x), dy = cross(axis[j], y), dz = cross(axis[j], z);
    for (std::size_t i = 0; i < 3; ++i) {
      jacobian[i * joints + j] = moved[i];
    }
    const double whole = x[2] * x[2] + planar;
    const double droot = (y[2] * dy[2] + z[2] * dz[2]) / root;
    jacobian[3 * joints + j] = (dy[2] * z[2] - y[2] * dz[2]) / planar;
    jacobian[4 * joints + j] = (-dx[2] * root + x[2] * droot) / whole;
    jacobian[5 * joints + j] = (dx[1] * x[0] - x[1] * dx[0]) / (x[0] * x[0] + x[1] * x[1]);
  }
}

Tensor arm_jacobian(const Tensor& angles) { return jacobian(arm)(angles); }

void RobotArm(benchmark::State& state) { micro::run(state, compile(arm_jacobian), numbers_of(arm_angles)); }
void RobotArmPlan(benchmark::State& state) { plan(state, arm_jacobian, numbers_of(arm_angles)); }

void RobotArmByHand(benchmark::State& state) {
  std::vector<double> angles = arm_angles;
  std::array<double, joints * joints> jacobian;
  for (auto _ : state) {
    benchmark::DoNotOptimize(angles.data());
    arm_by_hand(angles.data(), jacobian.data());
    benchmark::DoNotOptimize(jacobian.data());
    benchmark::ClobberMemory();
  }
  const Array known = arm_jacobian(numbers_of(arm_angles)).array();
  for (std::size_t i = 0; i < jacobian.size(); ++i) {
    if (!(std::abs(jacobian[i] - known.data<double>()[i]) < 1e-9)) {
      return state.SkipWithError("the two Jacobians differ");
    }
  }
}

// Hares and lynxes by Lotka and Volterra, in Runge and Kutta's steps, and how their final numbers depend on the rates.

const std::vector<double> rates = {1.1, 0.4, 0.1, 0.4};
constexpr double time_step = 0.01;

template <class Number>
std::array<Number, 2> growth(const std::array<Number, 2>& state, const std::array<Number, 4>& rate) {
  const Number met = state[0] * state[1];
  return {rate[0] * state[0] - rate[1] * met, rate[2] * met - rate[3] * state[1]};
}

template <class Number>
std::array<Number, 2> moved(const std::array<Number, 2>& state, const std::array<Number, 2>& growth, double time) {
  return {state[0] + growth[0] * time, state[1] + growth[1] * time};
}

template <class Number>
std::array<Number, 2> runge_kutta(const std::array<Number, 2>& state, const std::array<Number, 4>& rate) {
  const auto k1 = growth(state, rate);
  const auto k2 = growth(moved(state, k1, time_step / 2), rate);
  const auto k3 = growth(moved(state, k2, time_step / 2), rate);
  const auto k4 = growth(moved(state, k3, time_step), rate);
  return {state[0] + (k1[0] + (k2[0] + k3[0]) * 2.0 + k4[0]) * (time_step / 6),
          state[1] + (k1[1] + (k2[1] + k3[1]) * 2.0 + k4[1]) * (time_step / 6)};
}

Tensor population(const Tensor& given, int steps) {
  const std::array<Tensor, 4> rate = {given[0], given[1], given[2], given[3]};
  std::array<Tensor, 2> state = {full({}, 10.0, DType::float64), full({}, 5.0, DType::float64)};
  for (int i = 0; i < steps; ++i) {
    state = runge_kutta(state, rate);
  }
  return state[0] * state[0] + state[1] * state[1];
}

/// The cotangents of one step's state and rates, from those of the next state.
void pull_back(const std::array<double, 2>& state, const std::array<double, 4>& rate, std::array<double, 2>& ct,
               std::array<double, 4>& ct_rate) {
  std::array<std::array<double, 2>, 4> at, k;
  constexpr std::array<double, 4> reach = {0, time_step / 2, time_step / 2, time_step};
  constexpr std::array<double, 4> weight = {time_step / 6, time_step / 3, time_step / 3, time_step / 6};
  for (std::size_t i = 0; i < 4; ++i) {
    at[i] = i == 0 ? state : moved(state, k[i - 1], reach[i]);
    k[i] = growth(at[i], rate);
  }
  std::array<double, 2> ct_state = ct, ct_at = {0, 0};
  for (std::size_t i = 4; i-- > 0;) {
    const double later = i == 3 ? 0 : reach[i + 1];
    const double a = weight[i] * ct[0] + later * ct_at[0], b = weight[i] * ct[1] + later * ct_at[1];
    const double x = at[i][0], y = at[i][1], met = x * y;
    ct_rate[0] += a * x;
    ct_rate[1] -= a * met;
    ct_rate[2] += b * met;
    ct_rate[3] -= b * y;
    const double ct_met = b * rate[2] - a * rate[1];
    ct_at = {a * rate[0] + ct_met * y, ct_met * x - b * rate[3]};
    ct_state[0] += ct_at[0];
    ct_state[1] += ct_at[1];
  }
  ct = ct_state;
}

double population_by_hand(const std::array<double, 4>& rate, int steps, std::vector<std::array<double, 2>>& states,
                          std::array<double, 4>& gradient) {
  states[0] = {10, 5};
  for (std::size_t i = 0; i < static_cast<std::size_t>(steps); ++i) {
    states[i + 1] = runge_kutta(states[i], rate);
  }
  const auto last = states[static_cast<std::size_t>(steps)];
  std::array<double, 2> ct = {2 * last[0], 2 * last[1]};
  gradient = {0, 0, 0, 0};
  for (auto i = static_cast<std::size_t>(steps); i-- > 0;) {
    pull_back(states[i], rate, ct, gradient);
  }
  return last[0] * last[0] + last[1] * last[1];
}

/// The same as one loop.
Tensor population_in_a_loop(const Tensor& given, int steps) {
  const std::array<Tensor, 4> rate = {given[0], given[1], given[2], given[3]};
  const Tensor start = stack({full({}, 10.0, DType::float64), full({}, 5.0, DType::float64)});
  const auto step = [&](const Tensor&, const Tensor& state) {
    const auto next = runge_kutta<Tensor>({state[0], state[1]}, rate);
    return stack({next[0], next[1]});
  };
  return sum(square(fori(steps, step, start)));
}

auto population_gradient(const benchmark::State& state) {
  return value_and_grad([steps = static_cast<int>(state.range(0))](const Tensor& x) { return population(x, steps); });
}

void LotkaVolterra(benchmark::State& state) {
  const auto f = compile(population_gradient(state));
  const Tensor x = numbers_of(rates);
  micro::compute(f(x).second);
  for (auto _ : state) {
    micro::compute(f(x).second);
  }
}
void LotkaVolterraLoop(benchmark::State& state) {
  const auto steps = static_cast<int>(state.range(0));
  micro::run(state, compile(grad([steps](const Tensor& x) { return population_in_a_loop(x, steps); })),
             numbers_of(rates));
}
void LotkaVolterraPlan(benchmark::State& state) { plan(state, population_gradient(state), numbers_of(rates)); }

void LotkaVolterraByHand(benchmark::State& state) {
  const auto steps = static_cast<int>(state.range(0));
  std::array<double, 4> rate = {rates[0], rates[1], rates[2], rates[3]}, gradient;
  std::vector<std::array<double, 2>> states(static_cast<std::size_t>(steps) + 1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(rate.data());
    benchmark::DoNotOptimize(population_by_hand(rate, steps, states, gradient));
    benchmark::DoNotOptimize(gradient.data());
  }
  const Array known = population_gradient(state)(numbers_of(rates)).second.array();
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    if (!(std::abs(gradient[i] / known.data<double>()[i] - 1) < 1e-9)) {
      return state.SkipWithError("the two gradients differ");
    }
  }
}

// Rosenbrock's function of many numbers, each a tensor of its own.

std::vector<double> start(std::int64_t count) {
  std::vector<double> x(static_cast<std::size_t>(count));
  std::iota(x.begin(), x.end(), 0.0);
  for (double& each : x) {
    each = std::sin(each);
  }
  return x;
}

Tensor rosenbrock_gradient(const Tensor& given) {
  return grad([](const Tensor& x) {
    const std::int64_t count = x.shape()[0];
    Tensors each;
    for (std::int64_t i = 0; i < count; ++i) {
      each.push_back(x[i]);
    }
    Tensor total = zeros({}, DType::float64);
    for (std::size_t i = 0; i + 1 < each.size(); ++i) {
      total = total + 100 * square(each[i + 1] - square(each[i])) + square(1 - each[i]);
    }
    return total;
  })(given);
}

void Rosenbrock(benchmark::State& state) {
  micro::run(state, compile(rosenbrock_gradient), numbers_of(start(state.range(0))));
}
void RosenbrockPlan(benchmark::State& state) { plan(state, rosenbrock_gradient, numbers_of(start(state.range(0)))); }

void RosenbrockByHand(benchmark::State& state) {
  std::vector<double> x = start(state.range(0));
  std::vector<double> gradient(x.size());
  for (auto _ : state) {
    benchmark::DoNotOptimize(x.data());
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
      const double off = x[i + 1] - x[i] * x[i];
      gradient[i + 1] += 200 * off;
      gradient[i] -= 400 * off * x[i] + 2 * (1 - x[i]);
    }
    benchmark::DoNotOptimize(gradient.data());
    benchmark::ClobberMemory();
  }
  const Array known = rosenbrock_gradient(numbers_of(x)).array();
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    if (!(std::abs(gradient[i] - known.data<double>()[i]) < 1e-9)) {
      return state.SkipWithError("the two gradients differ");
    }
  }
}

BENCHMARK(RobotArm)->Unit(benchmark::kMicrosecond);
BENCHMARK(RobotArmByHand)->Unit(benchmark::kMicrosecond);
BENCHMARK(RobotArmPlan)->Unit(benchmark::kMicrosecond);
BENCHMARK(LotkaVolterra)->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);
BENCHMARK(LotkaVolterraLoop)->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);
BENCHMARK(LotkaVolterraByHand)->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);
BENCHMARK(LotkaVolterraPlan)->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);
BENCHMARK(Rosenbrock)->Arg(1000)->Unit(benchmark::kMicrosecond);
BENCHMARK(RosenbrockByHand)->Arg(1000)->Unit(benchmark::kMicrosecond);
BENCHMARK(RosenbrockPlan)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
