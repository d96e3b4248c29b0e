#pragma once

#include <vector>

#include "benchmarks/by_hand/loops.hpp"
#include "benchmarks/by_hand/product.hpp"
#include "benchmarks/by_hand/team.hpp"
#include "benchmarks/task.hpp"

/// \file
/// The fastest schedule known for such a network on a few cores.
///
/// Each worker owns some columns of every hidden weight, a slab, with its moments, contiguous in memory: they never leave
/// its core's cache. With hidden layers 1 to L a step has 2 L + 1 phases, between which the workers wait for each other:
///
///     forward l = 1 … L     my columns of xₗ = relu(xₗ₋₁ wₗ + bₗ)
///     output                my rows of logits, softmax, loss and dzₗ; what they give to the last layer's gradient
///     backward l = L … 1    my columns of dzₗ, from what each slab of wₗ₊₁ gave; my slab's part of dxₗ₋₁; my slab's gradient,
///                           in blocks of rows, each followed by its update
///
/// Without anything but the products (products_only) this is how long the arithmetic takes.

namespace by_hand {

using Floats = std::vector<float>;

/// Parameters with their moments.
struct Trained {
  Floats value;
  Floats first_moment;
  Floats second_moment;

  Trained() = default;
  explicit Trained(Floats values) : value(std::move(values)), first_moment(value.size()), second_moment(value.size()) {}
};

/// Columns of a hidden layer and who works on them.
struct Slab {
  Range columns;
  Trained weight;  ///< (inputs, columns)
  Trained bias;
  Floats gradient;  ///< room for a block
  Floats bias_gradient;
  Floats to_inputs;  ///< (batch, inputs): dz[:, columns] weightᵀ
  Product forward;
  Product backward;
  Product weight_gradient;
};

struct HiddenLayer {
  int inputs;
  int outputs;
  Floats x;                 ///< (batch, outputs)
  Floats dz;                ///< (batch, outputs)
  std::vector<Slab> slabs;  ///< one per worker
};

class SlabTrainer {
 public:
  /// \throws std::invalid_argument when a hidden layer's size is no multiple of 16 times the number of threads.
  SlabTrainer(const benchmarks::Task& task, const benchmarks::Settings& settings, bool products_only);

  /// \return the sum of the steps' losses.
  double run_epoch(const std::vector<std::int64_t>& order);

 private:
  /// What a worker has of the last layer: sums over its rows.
  struct OutputPart {
    Floats gradient;
    Floats bias_gradient;
  };

  void make_layer(const benchmarks::Weights& weights);
  void tune();
  double work(int worker, const std::vector<std::int64_t>& order, int first_step);
  void gather(int worker, const std::int64_t* order, Floats& batch) const;
  void forward(int worker, std::size_t layer, const float* x);
  double output(int worker, const std::int64_t* order);
  void backward(int worker, std::size_t layer, const float* x, int step);
  void give_to_inputs(int worker, std::size_t layer);
  void update_weight(int worker, std::size_t layer, const float* x, const Update& update);
  void collect_dz(int worker, std::size_t layer);
  void update_output(int worker, int step);
  void multiply_only(int worker, const float* x);

  const benchmarks::Task& task_;
  bool adam_;
  bool products_only_;
  int batch_;
  int threads_;
  int step_ = 0;
  std::vector<HiddenLayer> layers_;
  Floats batches_[2];  ///< this step's and the next one's
  Floats logits_;
  Trained output_weight_;  ///< (10, inputs)
  Trained output_bias_;
  std::vector<OutputPart> output_parts_;
  Barrier barrier_;
};

}  // namespace by_hand
