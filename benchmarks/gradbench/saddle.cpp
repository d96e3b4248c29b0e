#include "benchmarks/gradbench/by_xgrad.hpp"
#include "benchmarks/gradbench/nested.hpp"
#include "benchmarks/gradbench/objectives.hpp"

namespace gradbench {

namespace {

using xgrad::Tensor;
using Vector = std::array<double, 2>;

/// minₓ max_y |x|² - |y|² for vectors x and y, from (1, 1): both are 0. Where y is depends on x as far as derivatives know.
struct Saddle {
  using Size = Modes;
  Modes modes;

  explicit Saddle(Modes m) : modes(m) {}
  std::string title() const { return modes.title(); }
};

Tensor height(const Tensor& x, const Tensor& y) { return sum(square(x)) - sum(square(y)); }

/// Where the height is largest for this x.
Tensor summit(const Tensor& x, Mode mode) {
  return argmin([&](const Tensor& y) { return -height(x, y); }, ones_like(x), mode);
}

Tensor saddle_point(const Tensor& start, Modes modes) {
  const auto ridge = [&](const Tensor& x) { return height(x, summit(x, modes.inner)); };
  const Tensor x = argmin(ridge, start, modes.outer);
  return xgrad::concatenate({x, summit(x, modes.inner)});
}

double height_of(const Vector& x, const Vector& y) { return x[0] * x[0] + x[1] * x[1] - y[0] * y[0] - y[1] * y[1]; }

Vector summit_of(const Vector& x) {
  return argmin([&](const Vector& y) { return -height_of(x, y); },
                [](const Vector& y) {
                  return Vector{2 * y[0], 2 * y[1]};
                },
                Vector{1, 1});
}

std::vector<Method> methods(const Saddle& problem) {
  const auto ridge = [mode = problem.modes.inner](const Tensor& x) { return height(x, summit(x, mode)); };
  const auto point = [modes = problem.modes](const Tensor& x) { return saddle_point(x, modes); };
  const auto ridge_by_hand = [](const Vector& x) { return height_of(x, summit_of(x)); };
  return {by_xgrad(ridge, point, tensor({1, 1})), by_hand(
                                                      [=](double* out) {
                                                        *out = ridge_by_hand({1, 1});
                                                      },
                                                      1,
                                                      [=](double* out) {
                                                        // the steps to the summit do not change with x, and there the height does by 2 x
                                                        const Vector x = argmin(
                                                            ridge_by_hand,
                                                            [](const Vector& at) {
                                                              return Vector{2 * at[0], 2 * at[1]};
                                                            },
                                                            Vector{1, 1});
                                                        const Vector y = summit_of(x);
                                                        std::copy(x.begin(), x.end(), out);
                                                        std::copy(y.begin(), y.end(), out + 2);
                                                      },
                                                      4)};
}

}  // namespace

Objective saddle() {
  const auto origin = [](const Saddle&) { return Numbers(4); };
  Objective result = make_objective<Saddle>("saddle", {ff, fr, rf, rr}, methods, origin, 1e-5);
  result.checked = 4;
  return result;
}

}  // namespace gradbench
