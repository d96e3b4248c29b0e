#pragma once

#include <cmath>
#include <cstdint>

#include "benchmarks/gradbench/harness.hpp"

namespace gradbench {

/// Bundle adjustment (ADBench): where cameras see points. An observation has two residuals, the difference between where the
/// point is seen and where its projection is, times a weight w; and 1 - w². The Jacobian of the first is a block of 2 × 15 per
/// observation: by 11 numbers of its camera, 3 of its point, and the weight. Those blocks are asked for, and -2 w.
///
/// A camera: rotation vector (3), centre (3), focal length, principal point (2), radial distortion (2).
struct Ba {
  struct Size {
    std::size_t cameras, points, observations;
  };
  static constexpr std::size_t columns = 15;
  Size size;
  Numbers cameras;   ///< (cameras, 11)
  Numbers points;    ///< (points, 3)
  Numbers weights;   ///< (observations)
  Numbers features;  ///< where points are seen (observations, 2)
  std::vector<std::int64_t> camera_of, point_of;

  explicit Ba(Size s) : size(s) {
    Random random;
    cameras = random.uniform(s.cameras * 11, 0.1, 0.5);
    points = random.uniform(s.points * 3, 1, 2);
    weights = random.uniform(s.observations, 0.5, 1);
    features = random.uniform(s.observations * 2, -1, 1);
    for (std::size_t i = 0; i < s.observations; ++i) {
      camera_of.push_back(static_cast<std::int64_t>(random.below(s.cameras)));
      point_of.push_back(static_cast<std::int64_t>(random.below(s.points)));
    }
  }
  std::string title() const { return std::to_string(size.observations) + " observations"; }

  /// What the residuals of an observation depend on: its camera, its point and its weight.
  std::array<double, columns> parameters(std::size_t observation) const {
    std::array<double, columns> result;
    const auto camera = cameras.begin() + 11 * camera_of[observation];
    const auto point = points.begin() + 3 * point_of[observation];
    std::copy(camera, camera + 11, result.begin());
    std::copy(point, point + 3, result.begin() + 11);
    result[14] = weights[observation];
    return result;
  }

  /// The two residuals. Of arrays, too: then they are those of many observations.
  template <class T, class Feature>
  static void residuals(const T* p, const Feature& x, const Feature& y, T* out) {
    using std::sin, std::cos, std::sqrt;
    const T v0 = p[11] - p[3];
    const T v1 = p[12] - p[4];
    const T v2 = p[13] - p[5];
    // Rodrigues: cos θ v + sin θ / θ (r × v) + (1 - cos θ) / θ² (r · v) r, where θ = |r| is not 0
    const T squared = p[0] * p[0] + p[1] * p[1] + p[2] * p[2];
    const T angle = sqrt(squared);
    const T a = cos(angle);
    const T b = sin(angle) / angle;
    const T c = (1.0 - a) / squared * (p[0] * v0 + p[1] * v1 + p[2] * v2);
    const T u0 = a * v0 + b * (p[1] * v2 - p[2] * v1) + c * p[0];
    const T u1 = a * v1 + b * (p[2] * v0 - p[0] * v2) + c * p[1];
    const T u2 = a * v2 + b * (p[0] * v1 - p[1] * v0) + c * p[2];
    const T px = u0 / u2;
    const T py = u1 / u2;
    const T r = px * px + py * py;
    const T scale = p[6] * (1.0 + p[9] * r + p[10] * r * r);
    out[0] = p[14] * (scale * px + p[7] - x);
    out[1] = p[14] * (scale * py + p[8] - y);
  }
};

}  // namespace gradbench
