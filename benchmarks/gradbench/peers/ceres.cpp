// Ceres: forward mode by dual numbers with as many tangents as there are columns.

#include <ceres/jet.h>

#include "benchmarks/gradbench/ba.hpp"
#include "benchmarks/gradbench/ht.hpp"

namespace gradbench {

namespace {

/// Numbers x, of which number i has tangent i from \p first on.
template <int N>
ceres::Jet<double, N> variable(double value, std::size_t tangent) {
  return ceres::Jet<double, N>(value, static_cast<int>(tangent));
}

const Peer<Ba> ba([](const Ba& problem) {
  constexpr auto columns = static_cast<int>(Ba::columns);
  using Jet = ceres::Jet<double, columns>;
  const std::size_t count = problem.size.observations;
  return by_peer(
      "Ceres",
      [&problem, count](double* out) {
        for (std::size_t i = 0; i < count; ++i) {
          const auto values = problem.parameters(i);
          std::array<Jet, Ba::columns> p;
          for (std::size_t j = 0; j < Ba::columns; ++j) {
            p[j] = variable<columns>(values[j], j);
          }
          Jet both[2];
          Ba::residuals(p.data(), problem.features[2 * i], problem.features[2 * i + 1], both);
          for (std::size_t k = 0; k < 2; ++k) {
            std::copy(both[k].v.data(), both[k].v.data() + columns, out + (2 * i + k) * Ba::columns);
          }
          const ceres::Jet<double, 1> w = variable<1>(values[14], 0);
          out[2 * Ba::columns * count + i] = (1.0 - w * w).v[0];
        }
      },
      (2 * Ba::columns + 1) * count);
});

const Peer<Ht> ht([](const Ht& problem) {
  constexpr int columns = 28;  // two of each point, then those of the pose
  using Jet = ceres::Jet<double, columns>;
  const std::size_t rows = 3 * problem.size.points;
  return by_peer(
      "Ceres",
      [&problem, rows](double* out) {
        const std::size_t first = static_cast<std::size_t>(columns) - problem.columns();
        std::array<Jet, Ht::poses> theta;
        for (std::size_t j = 0; j < Ht::poses; ++j) {
          theta[j] = variable<columns>(problem.theta[j], j + 2);
        }
        std::vector<Jet> us(problem.us.begin(), problem.us.end());
        for (std::size_t i = 0; i < us.size(); ++i) {
          us[i] = variable<columns>(problem.us[i], i % 2);
        }
        std::vector<Jet> residuals(rows);
        problem.residuals(theta.data(), us.data(), residuals.data());
        for (std::size_t i = 0; i < rows; ++i) {
          const auto& v = residuals[i].v;
          std::copy(v.data() + first, v.data() + columns, out + i * problem.columns());
        }
      },
      rows * problem.columns());
});

}  // namespace

}  // namespace gradbench
