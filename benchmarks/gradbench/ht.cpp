#include "benchmarks/gradbench/ht.hpp"

#include <algorithm>

#include "benchmarks/gradbench/by_xgrad.hpp"
#include "benchmarks/gradbench/objectives.hpp"

namespace gradbench {

namespace {

using xgrad::Tensor, xgrad::Tensors, xgrad::all, xgrad::newaxis, xgrad::range;

/// The hand as tensors. Transformations are matrices (4, 4); long axes are last, where elements lie side by side.
struct Hand {
  Tensor relative;  // C (22, 4, 4)
  Tensor inverse;   // B (22, 4, 4)
  Tensor weighted;  // w_vb v, with a 1 behind v (22 · 4, vertices)
  Tensor points;    // (3, points)
  Tensor corners;   // (1 or 3, points)
};

Tensor stacked(const Tensors& elements, const xgrad::Shape& shape) {
  return reshape(xgrad::stack(elements, -1), shape);
}

/// Rz(β) Rx(α) for the angles of all fingers (5, 4).
Tensor turns(const Tensor& x, const Tensor& z) {
  const Tensor sx = sin(x), cx = cos(x), sz = sin(z), cz = cos(z), o = zeros_like(x), one = ones_like(x);
  return stacked({cz, -sz * cx, sz * sx, o, sz, cz * cx, -cz * sx, o, o, sx, cx, o, o, o, o, one}, {5, 4, 4, 4});
}

/// Rodrigues: cos θ I + sin θ / θ [r] + (1 - cos θ) / θ² r rᵀ
Tensor rotation(const Tensor& r) {
  const Tensor angle = norm(r);
  const Tensor o = zeros_like(angle);
  const Tensor cross = stacked({o, -r[2], r[1], r[2], o, -r[0], -r[1], r[0], o}, {3, 3});
  return cos(angle) * xgrad::eye(3, xgrad::DType::float64) + sin(angle) / angle * cross +
         (1.0 - cos(angle)) / square(angle) * outer(r, r);
}

/// Where all vertices are (3, vertices).
Tensor pose(const Tensor& theta, const Hand& hand) {
  const Tensor angles = reshape(theta[range(6)], {5, 4});  // of a finger α₀, β₀, α₁, α₂
  const Tensor x = pad(take(angles, Tensor(xt::xarray<std::int64_t>{0, 2, 3}), 1), {0, 0}, {0, 1});
  const Tensor z = pad(angles[{all(), range(1, 2)}], {0, 0}, {0, 3});
  const Tensor own = matmul(reshape(hand.relative[range(2)], {5, 4, 4, 4}), turns(x, z));
  const Tensor root = hand.relative[0];
  Tensors bones{broadcast_to(root, {5, 4, 4})};
  for (int joint = 0; joint < 4; ++joint) {
    bones.push_back(matmul(bones.back(), own[{all(), joint}]));
  }
  const Tensor fingers = reshape(xgrad::stack(Tensors(bones.begin() + 1, bones.end()), 1), {20, 4, 4});
  const Tensor absolute = xgrad::concatenate({xgrad::stack({root, matmul(root, hand.relative[1])}), fingers});
  const Tensor transforms = transpose(matmul(absolute, hand.inverse)[{all(), range(0, 3)}], {1, 0, 2});
  const Tensor moved = matmul(reshape(transforms, {3, 88}), hand.weighted);
  return matmul(rotation(theta[range(0, 3)]), moved) + theta[{range(3, 6), newaxis()}];
}

/// (3, points) \param us (2, points) where points are in triangles, else not read.
Tensor differences(const Tensor& theta, const Tensor& us, const Hand& hand) {
  const Tensor at = take(pose(theta, hand), hand.corners, 1);  // (3, 1 or 3, points)
  if (hand.corners.shape()[0] == 1) {
    return hand.points - squeeze(at, {1});
  }
  const Tensor shares = xgrad::concatenate({us, 1.0 - sum(us, {0}, true)});
  return hand.points - sum(shares * at, {1});
}

/// The Jacobian by columns (columns, 3, points).
Tensor jacobian_of(const Tensor& theta, const Tensor& us, const Hand& hand) {
  const auto along = [&](const Tensor& direction) {
    return xgrad::jvp([&](const Tensor& t) { return differences(t, us, hand); }, {theta}, {direction}).second;
  };
  const Tensor by_theta = xgrad::vmap(along)(xgrad::eye(Ht::poses, xgrad::DType::float64));
  if (hand.corners.shape()[0] == 1) {
    return by_theta;
  }
  const auto along_u = [&](const Tensor& direction) {  // a point depends on its own u only: two directions do for all
    const Tensor directions = broadcast_to(expand_dims(direction, 1), us.shape());
    return xgrad::jvp([&](const Tensor& u) { return differences(theta, u, hand); }, {us}, {directions}).second;
  };
  return xgrad::concatenate({xgrad::vmap(along_u)(xgrad::eye(2, xgrad::DType::float64)), by_theta});
}

Tensor matrices(const std::array<Ht::Affine, Ht::bones>& affine) {
  xt::xarray<double> result = xt::zeros<double>({Ht::bones, std::size_t{4}, std::size_t{4}});
  for (std::size_t b = 0; b < Ht::bones; ++b) {
    std::copy(affine[b].begin(), affine[b].end(), result.data() + 16 * b);
    result(b, 3, 3) = 1;
  }
  return result;
}

Tensor weighted_vertices(const Ht& problem) {
  const std::size_t n = problem.size.vertices;
  const Tensor v = xgrad::pad(tensor(problem.vertices, {n, 1, 3}), {0, 0, 0}, {0, 0, 1}, 1.0);
  return transpose(reshape(tensor(problem.weights, {n, Ht::bones, 1}) * v, {static_cast<std::int64_t>(n), 88}))
      .detach();
}

/// dR for each element of the rotation vector.
std::array<std::array<double, 9>, 3> rotation_slopes(const double* r) {
  const double squared = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
  const double angle = std::sqrt(squared);
  const double a = std::cos(angle);
  const double b = std::sin(angle) / angle;
  const double c = (1 - a) / squared;
  const double b_slope = (a - b) / squared;
  const double c_slope = (b - 2 * c) / squared;
  const double cross[9] = {0, -r[2], r[1], r[2], 0, -r[0], -r[1], r[0], 0};
  std::array<std::array<double, 9>, 3> result{};
  for (std::size_t k = 0; k < 3; ++k) {
    double of_cross[9] = {};  // [e_k]
    of_cross[3 * ((k + 2) % 3) + (k + 1) % 3] = 1;
    of_cross[3 * ((k + 1) % 3) + (k + 2) % 3] = -1;
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        const double outer = (i == k ? r[j] : 0) + (j == k ? r[i] : 0);
        result[k][3 * i + j] = r[k] * (b_slope * cross[3 * i + j] + c_slope * r[i] * r[j] - (i == j ? b : 0)) +
                               b * of_cross[3 * i + j] + c * outer;
      }
    }
  }
  return result;
}

/// d(A_b B_b) by an angle, for the bones of its finger from the joint that it turns on.
struct Slope {
  std::size_t first, last;
  std::array<Ht::Affine, 4> of;
};

/// Of the twenty angles, in the order of θ.
std::vector<Slope> slopes_of(const Ht& problem, const std::array<Ht::Affine, Ht::bones>& absolutes) {
  std::vector<Slope> result;
  for (std::size_t finger = 0; finger < 5; ++finger) {
    const double* angles = &problem.theta[6 + 4 * finger];
    for (std::size_t angle = 0; angle < 4; ++angle) {
      const std::size_t joint = angle < 2 ? 0 : angle - 1;
      const std::size_t bone = 2 + 4 * finger + joint;
      const double x = joint == 0 ? angles[0] : angles[1 + joint];
      const double z = joint == 0 ? angles[1] : 0;
      const double sx = std::sin(x), cx = std::cos(x), sz = std::sin(z), cz = std::cos(z);
      const Ht::Affine by_x{0, sz * sx, sz * cx, 0, 0, -cz * sx, -cz * cx, 0, 0, cx, -sx, 0};
      const Ht::Affine by_z{-sz, -cz * cx, cz * sx, 0, cz, -sz * cx, sz * sx, 0, 0, 0, 0, 0};
      const auto linear = [](Ht::Affine a, const Ht::Affine& b) {  // of a change, which translates nothing by itself
        a[3] = a[7] = a[11] = 0;
        return Ht::product(a, b);
      };
      const auto before = Ht::product(absolutes[Ht::parent(bone)], problem.relative[bone]);
      Ht::Affine change = linear(before, angle == 1 ? by_z : by_x);
      Slope slope{bone, 6 + 4 * finger, {}};
      for (std::size_t b = bone; b < slope.last; ++b) {
        if (b > bone) {
          const std::size_t next = b - 2 - 4 * finger;
          const Ht::Affine own =
              next < 3 ? Ht::product(problem.relative[b], Ht::turn(angles[1 + next], 0.0)) : problem.relative[b];
          change = Ht::product(change, own);
        }
        slope.of[b - bone] = Ht::product(change, problem.inverse[b]);
      }
      result.push_back(slope);
    }
  }
  return result;
}

/// The derivatives (vertices, 3, 26) of where vertices are, and where they are (vertices, 3).
void pose_slopes(const Ht& problem, Numbers& places, Numbers& slopes) {
  constexpr std::size_t columns = Ht::poses;
  const auto absolutes = problem.absolutes(problem.theta.data());
  std::array<Ht::Affine, Ht::bones> transforms;
  for (std::size_t b = 0; b < Ht::bones; ++b) {
    transforms[b] = Ht::product(absolutes[b], problem.inverse[b]);
  }
  const auto r = Ht::rotation(problem.theta.data());
  const auto by_r = rotation_slopes(problem.theta.data());
  const auto by_angle = slopes_of(problem, absolutes);
  const auto times = [](const std::array<double, 9>& m, const double* x, std::size_t i) {
    return m[3 * i] * x[0] + m[3 * i + 1] * x[1] + m[3 * i + 2] * x[2];
  };
  for (std::size_t v = 0; v < problem.size.vertices; ++v) {
    const double* x = &problem.vertices[3 * v];
    const double* weight = &problem.weights[v * Ht::bones];
    const auto move = [&](const Ht::Affine* each, std::size_t first, std::size_t last, double* moved) {
      Ht::Affine mean{};
      for (std::size_t b = first; b < last; ++b) {
        for (std::size_t i = 0; i < 12; ++i) {
          mean[i] += weight[b] * each[b - first][i];
        }
      }
      for (std::size_t i = 0; i < 3; ++i) {
        moved[i] = mean[4 * i] * x[0] + mean[4 * i + 1] * x[1] + mean[4 * i + 2] * x[2] + mean[4 * i + 3];
      }
    };
    double moved[3];
    move(transforms.data(), 0, Ht::bones, moved);
    double* slope = &slopes[v * 3 * columns];
    for (std::size_t i = 0; i < 3; ++i) {
      places[3 * v + i] = times(r, moved, i) + problem.theta[3 + i];
      for (std::size_t k = 0; k < 3; ++k) {
        slope[i * columns + k] = times(by_r[k], moved, i);
        slope[i * columns + 3 + k] = i == k ? 1 : 0;
      }
    }
    for (std::size_t k = 0; k < by_angle.size(); ++k) {
      move(by_angle[k].of.data(), by_angle[k].first, by_angle[k].last, moved);
      for (std::size_t i = 0; i < 3; ++i) {
        slope[i * columns + 6 + k] = times(r, moved, i);
      }
    }
  }
}

void jacobian_by_hand(const Ht& problem, double* out) {
  Numbers places(problem.size.vertices * 3);
  Numbers slopes(problem.size.vertices * 3 * Ht::poses);
  pose_slopes(problem, places, slopes);
  for (std::size_t p = 0; p < problem.size.points; ++p) {
    const std::int64_t* corner = &problem.corners[p * problem.per_point()];
    for (std::size_t i = 0; i < 3; ++i) {
      const auto row = [&](std::size_t k) { return static_cast<std::size_t>(corner[k]) * 3 + i; };
      const double* first = &slopes[row(0) * Ht::poses];
      if (problem.size.in_triangles) {
        const double u = problem.us[2 * p];
        const double v = problem.us[2 * p + 1];
        const double* second = &slopes[row(1) * Ht::poses];
        const double* third = &slopes[row(2) * Ht::poses];
        *out++ = places[row(2)] - places[row(0)];
        *out++ = places[row(2)] - places[row(1)];
        for (std::size_t j = 0; j < Ht::poses; ++j) {
          *out++ = -(u * first[j] + v * second[j] + (1 - u - v) * third[j]);
        }
      } else {
        for (std::size_t j = 0; j < Ht::poses; ++j) {
          *out++ = -first[j];
        }
      }
    }
  }
}

/// (points, 3, columns) from (columns, 3, points)
Numbers by_points(const Numbers& numbers, std::size_t points) {
  const auto columns = static_cast<std::int64_t>(numbers.size() / (3 * points));
  Numbers result;
  append(result, transpose(tensor(numbers, {static_cast<std::size_t>(columns), 3, points})));
  return result;
}

std::vector<Method> methods(const Ht& problem) {
  const std::size_t n = problem.size.points;
  const std::vector<std::size_t> shape{n, problem.per_point()};
  const auto f = [](const Tensor& theta, const Tensor& us, const Tensor& relative, const Tensor& inverse,
                    const Tensor& weighted, const Tensor& points, const Tensor& corners) {
    return differences(theta, us, Hand{relative, inverse, weighted, points, corners});
  };
  const auto df = [](const Tensor& theta, const Tensor& us, const Tensor& relative, const Tensor& inverse,
                     const Tensor& weighted, const Tensor& points, const Tensor& corners) {
    return jacobian_of(theta, us, Hand{relative, inverse, weighted, points, corners});
  };
  const auto turned = [](const Tensor& t) { return transpose(t).detach(); };
  Method ours = by_xgrad(f, df, tensor(problem.theta), turned(tensor(problem.us, {n, 2})), matrices(problem.relative),
                         matrices(problem.inverse), weighted_vertices(problem), turned(tensor(problem.points, {n, 3})),
                         turned(xt::xarray<std::int64_t>(xt::adapt(problem.corners, shape))));
  ours.primal.result = [get = ours.primal.result, n] { return by_points(get(), n); };
  ours.derivative.result = [get = ours.derivative.result, n] { return by_points(get(), n); };
  return {ours, by_hand([&problem](double* out) { problem.residuals(problem.theta.data(), problem.us.data(), out); },
                        3 * n, [&problem](double* out) { jacobian_by_hand(problem, out); }, 3 * n * problem.columns())};
}

/// By central differences in u of each point and in θ.
Numbers expected(const Ht& problem) {
  const std::size_t rows = 3 * problem.size.points;
  const std::size_t columns = problem.columns();
  Numbers result(rows * columns);
  const double step = 6e-6;
  for (std::size_t j = 0; j < columns; ++j) {
    const auto residuals = [&](double h) {
      Ht moved = problem;
      if (j + Ht::poses < columns) {
        for (std::size_t p = 0; p < problem.size.points; ++p) {
          moved.us[2 * p + j] += h;
        }
      } else {
        moved.theta[j + Ht::poses - columns] += h;
      }
      Numbers out(rows);
      moved.residuals(moved.theta.data(), moved.us.data(), out.data());
      return out;
    };
    const Numbers above = residuals(step);
    const Numbers below = residuals(-step);
    for (std::size_t i = 0; i < rows; ++i) {
      result[i * columns + j] = (above[i] - below[i]) / (2 * step);
    }
  }
  return result;
}

}  // namespace

Objective ht() {
  Objective result = make_objective<Ht>(
      "ht", {{544, 50, true}, {544, 200, false}, {544, 10'000, false}, {544, 10'000, true}}, methods, expected);
  result.checked = 2;
  return result;
}

}  // namespace gradbench
