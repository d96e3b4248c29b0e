#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "benchmarks/gradbench/harness.hpp"

namespace gradbench {

/// Hand tracking (ADBench; Taylor et al., User-specific hand modeling from monocular depth sequences, 2014): how far points that
/// were measured are from points on a hand, which 26 numbers θ pose. Vertex v of the hand is at
///
///     R(θ₀..₂) Σ_b w_vb A_b B_b v + θ₃..₅       A_b = A_parent(b) C_b Rz(β_b) Rx(α_b)
///
/// for 22 bones b: a root, the arm, and five fingers of four, of which the first has two angles and the next two one. In the
/// simple problem each measured point belongs to a vertex; in the other one to a place in a triangle, u₀ v₀ + u₁ v₁ +
/// (1 - u₀ - u₁) v₂. The Jacobian asked for is by u (of each point its own), then by θ.
struct Ht {
  struct Size {
    std::size_t vertices, points;
    bool in_triangles;
  };
  static constexpr std::size_t poses = 26;
  static constexpr std::size_t bones = 22;
  using Affine = std::array<double, 12>;  ///< rows of four: a rotation, and a translation at the end of each row

  Size size;
  Numbers theta;
  Numbers us;                          ///< (points, 2)
  std::array<Affine, bones> relative;  ///< C
  std::array<Affine, bones> inverse;   ///< B
  Numbers vertices;                    ///< (vertices, 3)
  Numbers weights;                     ///< (vertices, bones)
  Numbers points;                      ///< (points, 3)
  std::vector<std::int64_t> corners;   ///< (points, 1 or 3), numbers of vertices

  explicit Ht(Size s) : size(s) {
    Random random;
    theta = random.uniform(poses, 0.1, 0.6);
    us = random.uniform(s.points * 2, 0, 0.5);
    for (std::size_t b = 0; b < bones; ++b) {
      for (std::size_t i = 0; i < 12; ++i) {
        relative[b][i] = (i % 5 == 0 ? 1 : 0) + random.uniform(-0.2, 0.2);
        inverse[b][i] = (i % 5 == 0 ? 1 : 0) + random.uniform(-0.2, 0.2);
      }
    }
    vertices = random.uniform(s.vertices * 3, -1, 1);
    weights = random.uniform(s.vertices * bones, 0, 2.0 / bones);
    points = random.uniform(s.points * 3, -1, 1);
    for (std::size_t i = 0; i < s.points * per_point(); ++i) {
      corners.push_back(static_cast<std::int64_t>(random.below(s.vertices)));
    }
  }
  std::string title() const {
    return std::to_string(size.points) + " points" + (size.in_triangles ? " in triangles" : "");
  }
  std::size_t per_point() const { return size.in_triangles ? 3 : 1; }
  std::size_t columns() const { return poses + (size.in_triangles ? 2 : 0); }
  static std::size_t parent(std::size_t bone) { return bone % 4 == 2 ? 0 : bone - 1; }

  template <class T>
  static std::array<T, 12> product(const std::array<T, 12>& a, const Affine& b) {
    return general_product(a, b);
  }
  template <class T, class U, class V = T>
  static std::array<V, 12> general_product(const std::array<T, 12>& a, const std::array<U, 12>& b) {
    std::array<V, 12> result;
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 4; ++j) {
        result[4 * i + j] = a[4 * i] * b[j] + a[4 * i + 1] * b[4 + j] + a[4 * i + 2] * b[8 + j];
        if (j == 3) {
          result[4 * i + j] += a[4 * i + 3];
        }
      }
    }
    return result;
  }

  /// Rz(β) Rx(α)
  template <class T>
  static std::array<T, 12> turn(const T& x, const T& z) {
    using std::sin, std::cos;
    const T zero(0.0);
    const T sx = sin(x), cx = cos(x), sz = sin(z), cz = cos(z);
    return {cz, -sz * cx, sz * sx, zero, sz, cz * cx, -cz * sx, zero, zero, sx, cx, zero};
  }

  /// The rotation by a vector that is not 0, (3, 3).
  template <class T>
  static std::array<T, 9> rotation(const T* r) {
    using std::sin, std::cos, std::sqrt;
    const T squared = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
    const T angle = sqrt(squared);
    const T a = cos(angle);
    const T b = sin(angle) / angle;
    const T c = (1.0 - a) / squared;
    return {a + c * r[0] * r[0],        c * r[0] * r[1] - b * r[2], c * r[0] * r[2] + b * r[1],
            c * r[0] * r[1] + b * r[2], a + c * r[1] * r[1],        c * r[1] * r[2] - b * r[0],
            c * r[0] * r[2] - b * r[1], c * r[1] * r[2] + b * r[0], a + c * r[2] * r[2]};
  }

  /// A of all bones.
  template <class T>
  std::array<std::array<T, 12>, bones> absolutes(const T* t) const {
    std::array<std::array<T, 12>, bones> result;
    const T zero(0.0);
    for (std::size_t b = 0; b < bones; ++b) {
      const std::size_t joint = (b + 2) % 4;
      const T* angles = t + 6 + (b - 2) / 4 * 4;
      const bool turns = b >= 2 && joint < 3;
      std::array<T, 12> own;
      for (std::size_t i = 0; i < 12; ++i) {
        own[i] = T(relative[b][i]);
      }
      if (turns) {
        own = general_product(own, turn(joint == 0 ? angles[0] : angles[1 + joint], joint == 0 ? angles[1] : zero));
      }
      result[b] = b == 0 ? own : general_product(result[parent(b)], own);
    }
    return result;
  }

  /// Where all vertices are.
  template <class T>
  std::vector<T> pose(const T* t) const {
    const auto a = absolutes(t);
    std::array<std::array<T, 12>, bones> transforms;
    for (std::size_t b = 0; b < bones; ++b) {
      transforms[b] = product(a[b], inverse[b]);
    }
    const auto r = rotation(t);
    std::vector<T> result(size.vertices * 3);
    for (std::size_t v = 0; v < size.vertices; ++v) {
      std::array<T, 12> mean;
      mean.fill(T(0.0));
      for (std::size_t b = 0; b < bones; ++b) {
        for (std::size_t i = 0; i < 12; ++i) {
          mean[i] += weights[v * bones + b] * transforms[b][i];
        }
      }
      const double* x = &vertices[3 * v];
      std::array<T, 3> moved;
      for (std::size_t i = 0; i < 3; ++i) {
        moved[i] = mean[4 * i] * x[0] + mean[4 * i + 1] * x[1] + mean[4 * i + 2] * x[2] + mean[4 * i + 3];
      }
      for (std::size_t i = 0; i < 3; ++i) {
        result[3 * v + i] = r[3 * i] * moved[0] + r[3 * i + 1] * moved[1] + r[3 * i + 2] * moved[2] + t[3 + i];
      }
    }
    return result;
  }

  /// All differences (points, 3), for a pose and places in triangles (points, 2).
  template <class T>
  void residuals(const T* t, const T* u, T* out) const {
    const std::vector<T> at = pose(t);
    for (std::size_t p = 0; p < size.points; ++p) {
      for (std::size_t i = 0; i < 3; ++i) {
        const auto corner = [&](std::size_t k) -> const T& {
          return at[static_cast<std::size_t>(corners[p * per_point() + k]) * 3 + i];
        };
        T place = corner(0);
        if (size.in_triangles) {
          place = u[2 * p] * corner(0) + u[2 * p + 1] * corner(1) + (1.0 - u[2 * p] - u[2 * p + 1]) * corner(2);
        }
        out[3 * p + i] = points[3 * p + i] - place;
      }
    }
  }
};

}  // namespace gradbench
