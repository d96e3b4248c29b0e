#pragma once

#include <vector>

#include "benchmarks/task.hpp"

/// \file
/// What one writes first: one product and one loop after the other, and BLAS uses threads as it likes.

namespace by_hand {

class SimpleTrainer {
 public:
  SimpleTrainer(const benchmarks::Task& task, const benchmarks::Settings& settings);

  /// \return the sum of the steps' losses.
  double run_epoch(const std::vector<std::int64_t>& order);

 private:
  using Floats = std::vector<float>;

  struct Layer {
    int inputs;
    int outputs;
    Floats weight, bias;
    Floats weight_gradient, bias_gradient;
    Floats weight_moments[2], bias_moments[2];
    Floats z, dz;
  };

  double forward(const std::int64_t* order);
  void backward();
  void update();

  const benchmarks::Task& task_;
  bool adam_;
  int batch_;
  int step_ = 0;
  Floats x_;
  std::vector<Layer> layers_;
};

}  // namespace by_hand
