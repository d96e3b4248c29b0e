#include "benchmarks/gradbench/lstm.hpp"

#include <algorithm>
#include <array>

#include "benchmarks/gradbench/by_xgrad.hpp"
#include "benchmarks/gradbench/objectives.hpp"

namespace gradbench {

namespace {

using xgrad::Tensor, xgrad::Tensors, xgrad::range;

/// \param main (layers, 2, 4, units). \param v (3, units). \param state (layers, 2, units). \param sequence (length, units).
Tensor prediction_loss(const Tensor& main, const Tensor& v, const Tensor& state, const Tensor& sequence) {
  const std::int64_t layers = main.shape()[0];
  const auto step = [&](const Tensors& before, const Tensor& slice) {
    Tensors after;
    Tensor x = slice;
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      const Tensor w = main[{layer, 0}];
      const Tensor b = main[{layer, 1}];
      const Tensor& h = before[static_cast<std::size_t>(2 * layer)];
      const Tensor& c = before[static_cast<std::size_t>(2 * layer + 1)];
      const Tensor kept = sigmoid(w[0] * x + b[0]) * c;
      const Tensor cell = kept + sigmoid(w[1] * h + b[1]) * tanh(w[3] * h + b[3]);
      x = sigmoid(w[2] * x + b[2]) * tanh(cell);
      after.insert(after.end(), {x, cell});
    }
    return std::pair(after, x);
  };
  Tensors first;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    first.insert(first.end(), {state[{layer, 0}], state[{layer, 1}]});
  }
  const auto [last, hidden] = scan(step, first, sequence[range(0, -1)] * v[0]);
  const Tensor predicted = hidden * v[1] + v[2];
  const Tensor normalized = predicted - log(2.0 + sum(exp(predicted), {1}, true));
  return -mean(sequence[range(1)] * normalized);
}

/// What a layer computed in a step, for each unit.
struct Unit {
  double x, h, c, forget, input, output, change, tanh_c;
};

void gradient_of(const Lstm& problem, double* out) {
  const auto [layers, units, length] = problem.size;
  const double* p = problem.parameters.data();
  const double* v = p + problem.weights(layers);
  double* dv = out + problem.weights(layers);
  std::vector<Unit> kept((length - 1) * layers * units);
  Numbers state = problem.state;
  Numbers shares((length - 1) * units);  // exp p / (2 + Σ exp p)
  Numbers x(units), h_last((length - 1) * units);
  for (std::size_t t = 0; t + 1 < length; ++t) {
    for (std::size_t i = 0; i < units; ++i) {
      x[i] = problem.sequence[t * units + i] * v[i];
    }
    for (std::size_t layer = 0; layer < layers; ++layer) {
      const double* w = p + problem.weights(layer);
      const double* b = p + problem.weights(layer, 4);
      double* h = &state[layer * 2 * units];
      double* c = h + units;
      Unit* unit = &kept[(t * layers + layer) * units];
      for (std::size_t i = 0; i < units; ++i) {
        Unit u{x[i], h[i], c[i], 0, 0, 0, 0, 0};
        u.forget = Lstm::sigmoid(w[i] * u.x + b[i]);
        u.input = Lstm::sigmoid(w[units + i] * u.h + b[units + i]);
        u.output = Lstm::sigmoid(w[2 * units + i] * u.x + b[2 * units + i]);
        u.change = std::tanh(w[3 * units + i] * u.h + b[3 * units + i]);
        c[i] = u.c * u.forget + u.input * u.change;
        u.tanh_c = std::tanh(c[i]);
        x[i] = h[i] = u.output * u.tanh_c;
        unit[i] = u;
      }
    }
    double total = 2;
    for (std::size_t i = 0; i < units; ++i) {
      h_last[t * units + i] = x[i];
      shares[t * units + i] = std::exp(x[i] * v[units + i] + v[2 * units + i]);
      total += shares[t * units + i];
    }
    for (std::size_t i = 0; i < units; ++i) {
      shares[t * units + i] /= total;
    }
  }

  std::fill(out, out + problem.parameters.size(), 0.0);
  Numbers ct(layers * 2 * units), dx(units);
  for (std::size_t t = length - 1; t-- > 0;) {
    const double* y = &problem.sequence[(t + 1) * units];
    double sum = 0;
    for (std::size_t i = 0; i < units; ++i) {
      sum += y[i];
    }
    for (std::size_t i = 0; i < units; ++i) {
      const double dp = -(y[i] - sum * shares[t * units + i]) / problem.predictions();
      dv[units + i] += dp * h_last[t * units + i];
      dv[2 * units + i] += dp;
      dx[i] = dp * v[units + i];
    }
    for (std::size_t layer = layers; layer-- > 0;) {
      const double* w = p + problem.weights(layer);
      double* dw = out + problem.weights(layer);
      double* db = out + problem.weights(layer, 4);
      double* dh = &ct[layer * 2 * units];
      double* dc = dh + units;
      const Unit* unit = &kept[(t * layers + layer) * units];
      for (std::size_t i = 0; i < units; ++i) {
        const Unit& u = unit[i];
        const double of_h = dh[i] + dx[i];
        const double of_c = dc[i] + of_h * u.output * (1 - u.tanh_c * u.tanh_c);
        const double forget = of_c * u.c * u.forget * (1 - u.forget);
        const double input = of_c * u.change * u.input * (1 - u.input);
        const double output = of_h * u.tanh_c * u.output * (1 - u.output);
        const double change = of_c * u.input * (1 - u.change * u.change);
        dw[i] += forget * u.x;
        dw[units + i] += input * u.h;
        dw[2 * units + i] += output * u.x;
        dw[3 * units + i] += change * u.h;
        db[i] += forget;
        db[units + i] += input;
        db[2 * units + i] += output;
        db[3 * units + i] += change;
        dx[i] = forget * w[i] + output * w[2 * units + i];
        dh[i] = input * w[units + i] + change * w[3 * units + i];
        dc[i] = of_c * u.forget;
      }
    }
    for (std::size_t i = 0; i < units; ++i) {
      dv[i] += dx[i] * problem.sequence[t * units + i];
    }
  }
}

std::vector<Method> methods(const Lstm& problem) {
  const auto [layers, units, length] = problem.size;
  const auto split = problem.parameters.begin() + static_cast<std::ptrdiff_t>(problem.weights(layers));
  return {by_xgrad(prediction_loss, xgrad::grad(prediction_loss, std::vector<std::size_t>{0, 1}),
                   tensor(Numbers(problem.parameters.begin(), split), {layers, 2, 4, units}),
                   tensor(Numbers(split, problem.parameters.end()), {3, units}),
                   tensor(problem.state, {layers, 2, units}), tensor(problem.sequence, {length, units})),
          by_hand(problem, [&problem](double* out) { gradient_of(problem, out); })};
}

}  // namespace

Objective lstm() { return make_objective<Lstm>("lstm", {{2, 14, 8}, {2, 14, 1'024}, {4, 14, 4'096}}, methods); }

}  // namespace gradbench
