// libtorch: tensors as in xgrad, define-by-run, in reverse mode.

#include <torch/torch.h>

#include "benchmarks/gradbench/ba.hpp"
#include "benchmarks/gradbench/peers/functions.hpp"

namespace gradbench {

namespace {

using torch::Tensor;
using Tensors = std::vector<Tensor>;

Tensor tensor(const double* numbers, std::vector<std::int64_t> shape) {
  return torch::from_blob(const_cast<double*>(numbers), shape, torch::kFloat64).clone();
}

std::int64_t whole(std::size_t number) { return static_cast<std::int64_t>(number); }

/// A function of tensors, run again and again.
template <class F>
Computation computation(F f) {
  const auto last = std::make_shared<Tensors>();
  return {[=] { *last = f(); },
          [=] {
            Numbers numbers;
            for (const Tensor& each : *last) {
              const Tensor flat = each.detach().contiguous();
              numbers.insert(numbers.end(), flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel());
            }
            return numbers;
          }};
}

/// A function of some parameters to one number, and `derivative(value, parameters)`, which is the gradient unless given.
template <class F, class G>
Method by_torch(F f, Tensors parameters, G derivative) {
  for (Tensor& each : parameters) {
    each.requires_grad_();
  }
  const auto primal = [=]() -> Tensors {
    const torch::NoGradGuard no_grad;
    return {f(parameters)};
  };
  return {"libtorch", computation(primal), computation([=] { return derivative(f(parameters), parameters); })};
}
template <class F>
Method by_torch(F f, Tensors parameters) {
  return by_torch(f, std::move(parameters),
                  [](const Tensor& value, const Tensors& all) { return torch::autograd::grad({value}, all); });
}

const Peer<Hello> hello([](const Hello& problem) {
  return by_torch([](const Tensors& x) { return x[0] * x[0]; }, {tensor(problem.parameters.data(), {})});
});

const Peer<Lse> lse([](const Lse& problem) {
  return by_torch([](const Tensors& x) { return logsumexp(x[0], 0); },
                  {tensor(problem.parameters.data(), {whole(problem.parameters.size())})});
});

const Peer<Llsq> llsq([](const Llsq& problem) {
  const Tensor t = tensor(problem.points.data(), {whole(problem.size.points)});
  const auto loss = [t](const Tensors& x) {
    Tensor fitted = zeros_like(t);
    const auto coefficients = x[0].unbind();
    for (auto each = coefficients.rbegin(); each != coefficients.rend(); ++each) {
      fitted = fitted * t + *each;
    }
    return 0.5 * (sign(t) - fitted).square().sum();
  };
  return by_torch(loss, {tensor(problem.parameters.data(), {whole(problem.size.coefficients)})});
});

Tensor determinant(const Tensor& a) {
  const std::int64_t n = a.size(-1);
  if (n == 1) {
    return a.squeeze(-1).squeeze(-1);
  }
  const Tensor rows = a.narrow(-2, 1, n - 1);
  Tensor total;
  Tensors minors;
  for (std::int64_t j = 0; j < n; ++j) {
    minors.push_back(torch::cat({rows.narrow(-1, 0, j), rows.narrow(-1, j + 1, n - 1 - j)}, -1));
  }
  const Tensor signs = 1 - 2 * torch::arange(n, torch::kFloat64).remainder(2);
  return (signs * a.select(-2, 0) * determinant(torch::stack(minors, -3))).sum(-1);
}

const Peer<Det> det([](const Det& problem) {
  return by_torch([](const Tensors& a) { return determinant(a[0]); },
                  {tensor(problem.parameters.data(), {whole(problem.n), whole(problem.n)})});
});

const Peer<Kmeans> kmeans([](const Kmeans& problem) {
  const Tensor points = tensor(problem.points.data(), {whole(problem.size.n), 1, whole(problem.size.d)});
  const auto cost = [points](const Tensors& c) { return (points - c[0]).square().sum(-1).amin(1).sum(); };
  const auto direction = [](const Tensor& value, const Tensors& c) -> Tensors {
    const Tensor slope = torch::autograd::grad({value}, c, {}, true, true)[0];
    return {slope / torch::autograd::grad({slope.sum()}, c)[0]};
  };
  return by_torch(cost, {tensor(problem.parameters.data(), {whole(problem.size.k), whole(problem.size.d)})}, direction);
});

const Peer<Ode> ode([](const Ode& problem) {
  const auto steps = problem.size.steps;
  const double h = problem.step();
  const auto last = [=](const Tensors& parameters) {
    const Tensor& x = parameters[0];
    const auto slope = [&](const Tensor& y) {
      return x * torch::cat({torch::ones({1}, torch::kFloat64), y.narrow(0, 0, y.size(0) - 1)});
    };
    Tensor y = zeros_like(x);
    for (std::size_t step = 0; step < steps; ++step) {
      const Tensor k1 = slope(y);
      const Tensor k2 = slope(y + h / 2 * k1);
      const Tensor k3 = slope(y + h / 2 * k2);
      const Tensor k4 = slope(y + h * k3);
      y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
    }
    return y[-1];
  };
  return by_torch(last, {tensor(problem.parameters.data(), {whole(problem.size.n)})});
});

const Peer<Gmm> gmm([](const Gmm& problem) {
  const auto n = whole(problem.size.n), d = whole(problem.size.d), k = whole(problem.size.k);
  const double* p = problem.parameters.data();
  const Tensor x = tensor(problem.points.data(), {n, d});
  const Tensor places = torch::full({d, d}, whole(problem.triangle()), torch::kInt64);
  std::int64_t next = 0;
  for (std::int64_t j = 0; j < d; ++j) {
    for (std::int64_t i = j + 1; i < d; ++i) {
      places[i][j] = next++;
    }
  }
  const auto log_likelihood = [=, constant = problem.constant()](const Tensors& all) {
    const Tensor &alpha = all[0], &mu = all[1], &q = all[2], &l = all[3];
    const Tensor padded = torch::cat({l, torch::zeros({k, 1}, torch::kFloat64)}, 1);
    const Tensor factor = diag_embed(exp(q)) + padded.index_select(1, places.flatten()).reshape({k, d, d});
    const Tensor residual = matmul(x - mu.unsqueeze(1), factor.transpose(1, 2));
    const Tensor exponents = (alpha + q.sum(1)).unsqueeze(1) - 0.5 * residual.square().sum(2);
    const Tensor prior = 0.5 * Gmm::gamma * Gmm::gamma * factor.square().sum() - Gmm::m * q.sum();
    return logsumexp(exponents, 0).sum() - static_cast<double>(n) * logsumexp(alpha, 0) + prior + constant;
  };
  return by_torch(log_likelihood,
                  {tensor(p, {k}), tensor(p + problem.means(), {k, d}), tensor(p + problem.diagonals(), {k, d}),
                   tensor(p + problem.triangles(), {k, whole(problem.triangle())})});
});

const Peer<Lstm> lstm([](const Lstm& problem) {
  const auto layers = whole(problem.size.layers), units = whole(problem.size.units),
             length = whole(problem.size.length);
  const Tensor state = tensor(problem.state.data(), {layers, 2, units});
  const Tensor sequence = tensor(problem.sequence.data(), {length, units});
  const auto loss = [=](const Tensors& parameters) {
    const Tensor& v = parameters[1];
    Tensors w, b, h, c, hidden;
    for (std::int64_t i = 0; i < layers; ++i) {
      w.push_back(parameters[0][i][0]);
      b.push_back(parameters[0][i][1]);
      h.push_back(state[i][0]);
      c.push_back(state[i][1]);
    }
    const Tensors inputs = (sequence.narrow(0, 0, length - 1) * v[0]).unbind();
    for (Tensor x : inputs) {
      for (std::size_t i = 0; i < w.size(); ++i) {
        // input and hidden values of the gates, one row each
        const Tensor gates = w[i] * torch::stack({x, h[i], x, h[i]}) + b[i];
        const Tensor sigmoids = sigmoid(gates.narrow(0, 0, 3));
        c[i] = sigmoids[0] * c[i] + sigmoids[1] * tanh(gates[3]);
        x = h[i] = sigmoids[2] * tanh(c[i]);
      }
      hidden.push_back(x);
    }
    const Tensor predicted = torch::stack(hidden) * v[1] + v[2];
    const Tensor normalized = predicted - log(2 + exp(predicted).sum(1, true));
    return -(sequence.narrow(0, 1, length - 1) * normalized).mean();
  };
  const double* p = problem.parameters.data();
  return by_torch(loss,
                  {tensor(p, {layers, 2, 4, units}), tensor(p + problem.weights(problem.size.layers), {3, units})});
});

const Peer<Ba> ba([](const Ba& problem) {
  // Two passes: the derivatives of the sum of one residual by what belongs to an observation are those of its own.
  const auto n = whole(problem.size.observations);
  const Tensor cameras = tensor(problem.cameras.data(), {whole(problem.size.cameras), 11});
  const Tensor points = tensor(problem.points.data(), {whole(problem.size.points), 3});
  const Tensor weights = tensor(problem.weights.data(), {n, 1});
  const Tensor features = tensor(problem.features.data(), {n, 2});
  const auto index = [n](const std::vector<std::int64_t>& of) {
    return torch::from_blob(const_cast<std::int64_t*>(of.data()), {n}, torch::kInt64).clone();
  };
  const Tensor camera_of = index(problem.camera_of), point_of = index(problem.point_of);
  const auto gathered = [=] {
    return torch::cat({cameras.index_select(0, camera_of), points.index_select(0, point_of), weights}, 1)
        .t()
        .contiguous();
  };
  const auto residuals = [=](const Tensor& gathered_columns) {
    const Tensors columns = gathered_columns.unbind();
    Tensors out(2);
    Ba::residuals(columns.data(), features.select(1, 0), features.select(1, 1), out.data());
    return out;
  };
  const auto primal = [=]() -> Tensors {
    const torch::NoGradGuard no_grad;
    const Tensor columns = gathered();
    return {torch::stack(residuals(columns), 1), 1 - columns[14].square()};
  };
  const auto derivative = [=]() -> Tensors {
    const Tensor columns = gathered().requires_grad_();
    const Tensors out = residuals(columns);
    const Tensor first = torch::autograd::grad({out[0].sum()}, {columns}, {}, true)[0];
    const Tensor second = torch::autograd::grad({out[1].sum()}, {columns})[0];
    return {first, second, -2 * columns[14].detach()};
  };
  Computation by_rows = computation(derivative);
  by_rows.result = [get = by_rows.result, n] {
    const Numbers by_columns = get();
    const auto count = static_cast<std::size_t>(n);
    Numbers result = by_columns;
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < 2 * Ba::columns; ++j) {
        result[i * 2 * Ba::columns + j] = by_columns[j * count + i];
      }
    }
    return result;
  };
  return Method{"libtorch", computation(primal), by_rows};
});

/// On one thread, as everything here.
const bool one_thread = [] {
  torch::set_num_threads(1);
  return true;
}();

}  // namespace

}  // namespace gradbench
