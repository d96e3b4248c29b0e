#include "benchmarks/gradbench/ba.hpp"

#include <algorithm>

#include "benchmarks/gradbench/by_xgrad.hpp"
#include "benchmarks/gradbench/objectives.hpp"

namespace gradbench {

namespace {

using xgrad::Tensor, xgrad::Tensors, xgrad::all;

/// All parameters, each as a vector with its values for all observations.
Tensors parameters_of(const Tensor& cameras, const Tensor& points, const Tensor& weights, const Tensor& camera_of,
                      const Tensor& point_of) {
  const Tensor seen_by = transpose(take(cameras, camera_of));
  const Tensor seen = transpose(take(points, point_of));
  Tensors result;
  for (int i = 0; i < 11; ++i) {
    result.push_back(seen_by[i]);
  }
  result.insert(result.end(), {seen[0], seen[1], seen[2], weights});
  return result;
}

/// The residuals of all observations: x, y, and of the weights.
Tensors residuals(const Tensors& parameters, const Tensor& features) {
  Tensors result(2);
  Ba::residuals<Tensor>(parameters.data(), features[{all(), 0}], features[{all(), 1}], result.data());
  result.push_back(1.0 - square(parameters[14]));
  return result;
}

/// The Jacobian by columns: for each parameter the derivatives of both residuals; and those of the last one by the weights.
Tensors jacobian_of(const Tensors& parameters, const Tensor& features) {
  const Tensors values = residuals(parameters, features);
  const Tensor one = ones_like(values[0]);
  Tensors result;
  for (const Tensor& each : parameters) {
    for (const Tensor& derivative : xgrad::jvp({values[0], values[1]}, {each}, {one})) {
      result.push_back(derivative);
    }
  }
  result.push_back(xgrad::jvp(values[2], {parameters[14]}, {one}));
  return result;
}

/// One block (2, 15), and the residuals.
void block_of(const double* p, double x, double y, double* block) {
  const double r[3] = {p[0], p[1], p[2]};
  const double v[3] = {p[11] - p[3], p[12] - p[4], p[13] - p[5]};
  const double squared = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
  const double angle = std::sqrt(squared);
  const double a = std::cos(angle);
  const double b = std::sin(angle) / angle;
  const double c = (1 - a) / squared;
  const double b_slope = (a - b) / squared;      // db = b_slope r · dr
  const double c_slope = (b - 2 * c) / squared;  // and da = -b r · dr
  const double rv = r[0] * v[0] + r[1] * v[1] + r[2] * v[2];
  const double cross[3] = {r[1] * v[2] - r[2] * v[1], r[2] * v[0] - r[0] * v[2], r[0] * v[1] - r[1] * v[0]};
  const double skew_v[3][3] = {{0, -v[2], v[1]}, {v[2], 0, -v[0]}, {-v[1], v[0], 0}};
  const double skew_r[3][3] = {{0, -r[2], r[1]}, {r[2], 0, -r[0]}, {-r[1], r[0], 0}};
  double u[3];
  double by_r[3][3];
  double by_v[3][3];
  for (int i = 0; i < 3; ++i) {
    u[i] = a * v[i] + b * cross[i] + c * rv * r[i];
    const double along = -b * v[i] + b_slope * cross[i] + c_slope * rv * r[i];
    for (int j = 0; j < 3; ++j) {
      by_r[i][j] = along * r[j] - b * skew_v[i][j] + c * (r[i] * v[j] + (i == j ? rv : 0));
      by_v[i][j] = (i == j ? a : 0) + b * skew_r[i][j] + c * r[i] * r[j];
    }
  }
  const double px = u[0] / u[2];
  const double py = u[1] / u[2];
  const double square = px * px + py * py;
  const double distortion = 1 + p[9] * square + p[10] * square * square;
  const double slope = 2 * (p[9] + 2 * p[10] * square);  // d distortion = slope (px dpx + py dpy)
  const double w = p[14];
  const double f = w * p[6];
  const double xx = f * (distortion + slope * px * px);
  const double xy = f * slope * px * py;
  const double yy = f * (distortion + slope * py * py);
  double* first = block;
  double* second = block + Ba::columns;
  const auto by_u = [&](const double(*du)[3], int j, double sign, std::size_t column) {
    const double dx = sign * (du[0][j] - px * du[2][j]) / u[2];
    const double dy = sign * (du[1][j] - py * du[2][j]) / u[2];
    first[column] = xx * dx + xy * dy;
    second[column] = xy * dx + yy * dy;
  };
  for (int j = 0; j < 3; ++j) {
    const auto column = static_cast<std::size_t>(j);
    by_u(by_r, j, 1, column);
    by_u(by_v, j, -1, 3 + column);
    by_u(by_v, j, 1, 11 + column);
  }
  first[6] = w * distortion * px;
  second[6] = w * distortion * py;
  first[7] = second[8] = w;
  first[8] = second[7] = 0;
  first[9] = f * square * px;
  second[9] = f * square * py;
  first[10] = f * square * square * px;
  second[10] = f * square * square * py;
  first[14] = p[6] * distortion * px + p[7] - x;
  second[14] = p[6] * distortion * py + p[8] - y;
}

/// Rows (observations, 2, 15) from columns (15, 2, observations); what is behind stays.
Numbers by_rows(const Numbers& numbers, std::size_t observations) {
  Numbers result = numbers;
  for (std::size_t i = 0; i < observations; ++i) {
    for (std::size_t j = 0; j < Ba::columns; ++j) {
      for (std::size_t k = 0; k < 2; ++k) {
        result[(i * 2 + k) * Ba::columns + j] = numbers[(j * 2 + k) * observations + i];
      }
    }
  }
  return result;
}

Numbers residuals_by_rows(const Numbers& numbers, std::size_t observations) {
  Numbers result = numbers;
  for (std::size_t i = 0; i < observations; ++i) {
    result[2 * i] = numbers[i];
    result[2 * i + 1] = numbers[observations + i];
  }
  return result;
}

std::vector<Method> methods(const Ba& problem) {
  const std::size_t count = problem.size.observations;
  const auto f = [](const Tensor& cameras, const Tensor& points, const Tensor& weights, const Tensor& camera_of,
                    const Tensor& point_of, const Tensor& features) {
    return residuals(parameters_of(cameras, points, weights, camera_of, point_of), features);
  };
  const auto df = [](const Tensor& cameras, const Tensor& points, const Tensor& weights, const Tensor& camera_of,
                     const Tensor& point_of, const Tensor& features) {
    return jacobian_of(parameters_of(cameras, points, weights, camera_of, point_of), features);
  };
  const std::vector<std::size_t> shape{count};
  Method ours = by_xgrad(
      f, df, tensor(problem.cameras, {problem.size.cameras, 11}), tensor(problem.points, {problem.size.points, 3}),
      tensor(problem.weights), Tensor(xt::xarray<std::int64_t>(xt::adapt(problem.camera_of, shape))),
      Tensor(xt::xarray<std::int64_t>(xt::adapt(problem.point_of, shape))), tensor(problem.features, {count, 2}));
  ours.primal.result = [get = ours.primal.result, count] { return residuals_by_rows(get(), count); };
  ours.derivative.result = [get = ours.derivative.result, count] { return by_rows(get(), count); };
  const auto primal = [&problem, count](double* out) {
    for (std::size_t i = 0; i < count; ++i) {
      const double w = problem.weights[i];
      Ba::residuals(problem.parameters(i).data(), problem.features[2 * i], problem.features[2 * i + 1], out + 2 * i);
      out[2 * count + i] = 1 - w * w;
    }
  };
  const auto derivative = [&problem, count](double* out) {
    for (std::size_t i = 0; i < count; ++i) {
      block_of(problem.parameters(i).data(), problem.features[2 * i], problem.features[2 * i + 1],
               out + 2 * Ba::columns * i);
      out[2 * Ba::columns * count + i] = -2 * problem.weights[i];
    }
  };
  return {ours, by_hand(primal, 3 * count, derivative, (2 * Ba::columns + 1) * count)};
}

Numbers expected(const Ba& problem) {
  const std::size_t count = problem.size.observations;
  Numbers result((2 * Ba::columns + 1) * count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = problem.parameters(i);
    for (std::size_t k = 0; k < 2; ++k) {
      const auto residual = [&](const double* p) {
        double both[2];
        Ba::residuals(p, problem.features[2 * i], problem.features[2 * i + 1], both);
        return both[k];
      };
      const Numbers row = central_differences(residual, Numbers(at.begin(), at.end()));
      std::copy(row.begin(), row.end(), result.begin() + static_cast<std::ptrdiff_t>((2 * i + k) * Ba::columns));
    }
    const auto of_weight = [](const double* w) { return 1 - *w * *w; };
    result[2 * Ba::columns * count + i] = central_differences(of_weight, {problem.weights[i]})[0];
  }
  return result;
}

}  // namespace

Objective ba() {
  return make_objective<Ba>("ba", {{5, 50, 100}, {20, 500, 3'000}, {49, 7'776, 31'843}}, methods, expected);
}

}  // namespace gradbench
