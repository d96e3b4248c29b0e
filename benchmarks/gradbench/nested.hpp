#pragma once

#include <array>

#include <autograd/autograd.hpp>

// Minima by descent, whose derivatives are taken in forward or reverse mode, in functions that are themselves differentiated
// (Siskind and Pearlmutter, Using programming language theory to make automatic differentiation sound and efficient, 2008).

namespace gradbench {

enum class Mode { forward, reverse };

/// The gradient of a function to one number.
template <class F>
xgrad::Tensor gradient(const F& f, const xgrad::Tensor& x, Mode mode) {
  return mode == Mode::forward ? jacobian(f, 0, xgrad::JacobianMode::forward)(x) : xgrad::grad(f)(x);
}

/// Where descent is taken to have arrived: at a gradient or a step of this length.
inline constexpr double tolerance = 1e-5;
/// The first factor of the gradient in a step. It is doubled after ten steps down, and halved where a step would lead up.
inline constexpr double first_rate = 1e-5;

/// Where \p f is least, by steps against the gradient.
template <class F>
xgrad::Tensor argmin(const F& f, const xgrad::Tensor& start, Mode mode) {
  using xgrad::Tensor;
  using State =
      std::array<Tensor, 6>;  // x, f(x), the gradient there, its factor, steps since that was changed, the end
  const auto goes_on = [](const State& s) { return logical_and(!s[5], norm(s[2]) > tolerance); };
  const auto step = [&](const State& s) {
    const auto& [x, fx, slope, rate, steps, end] = s;
    const auto faster = [&] { return State{x, fx, slope, 2.0 * rate, zeros_like(steps), end}; };
    const auto try_it = [&] {
      const Tensor next = x - rate * slope;
      const Tensor arrived = norm(next - x) <= tolerance;
      const Tensor f_next = f(next);
      const auto go = [&] { return State{next, f_next, gradient(f, next, mode), rate, steps + 1, arrived}; };
      const auto slower = [&] { return State{x, fx, slope, 0.5 * rate, zeros_like(steps), arrived}; };
      return xgrad::cond(logical_and(f_next < fx, !arrived), go, slower);
    };
    return xgrad::cond(steps == 10, faster, try_it);
  };
  const State first{start,
                    f(start),
                    gradient(f, start, mode),
                    xgrad::full({}, first_rate, xgrad::DType::float64),
                    xgrad::zeros({}, xgrad::DType::int64),
                    xgrad::zeros({}, xgrad::DType::boolean)};
  return xgrad::while_loop(goes_on, step, first, {.max_steps = 500}).carry[0];
}

/// The same in doubles, by hand: f(x) and its gradient, for vectors of N numbers.
template <std::size_t N, class F, class G>
std::array<double, N> argmin(const F& f, const G& gradient, std::array<double, N> x) {
  const auto length = [](const std::array<double, N>& v) {
    double total = 0;
    for (const double each : v) {
      total += each * each;
    }
    return std::sqrt(total);
  };
  double fx = f(x);
  auto slope = gradient(x);
  double rate = first_rate;
  int steps = 0;
  while (length(slope) > tolerance) {
    if (steps == 10) {
      rate *= 2;
      steps = 0;
      continue;
    }
    std::array<double, N> next = x;
    std::array<double, N> way{};
    for (std::size_t i = 0; i < N; ++i) {
      next[i] -= rate * slope[i];
      way[i] = next[i] - x[i];
    }
    if (length(way) <= tolerance) {
      break;
    }
    const double f_next = f(next);
    if (f_next < fx) {
      x = next;
      fx = f_next;
      slope = gradient(x);
      ++steps;
    } else {
      rate /= 2;
      steps = 0;
    }
  }
  return x;
}

/// The four ways to take an outer and an inner derivative.
struct Modes {
  Mode outer, inner;
  std::string title() const {
    const auto name = [](Mode mode) { return mode == Mode::forward ? "forward" : "reverse"; };
    return std::string(name(outer)) + " over " + name(inner);
  }
};
inline constexpr Modes ff{Mode::forward, Mode::forward};
inline constexpr Modes fr{Mode::forward, Mode::reverse};
inline constexpr Modes rf{Mode::reverse, Mode::forward};
inline constexpr Modes rr{Mode::reverse, Mode::reverse};

}  // namespace gradbench
