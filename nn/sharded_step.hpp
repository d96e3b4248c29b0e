#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autograd/graph/results.hpp"
#include "autograd/ops/require_finite.hpp"
#include "autograd/plan/compile.hpp"
#include "datasets/batches.hpp"
#include "nn/layer.hpp"
#include "nn/partial_update.hpp"
#include "nn/rank_talk.hpp"
#include "nn/sharding.hpp"
#include "nn/watched_variables.hpp"

/// \file
/// Internal: a step of training whose batch is cut into parts.

namespace xgrad::nn::detail {

/// A wish to end training, and why; empty for none.
struct StopRequest {
  std::string reason = {};
  bool interrupted = false;
};

/// What a step has done.
struct StepResult {
  double loss = 0;           ///< the mean over the samples of all ranks
  std::int64_t samples = 0;  ///< of all ranks
  StopRequest stop = {};     ///< of the first rank that has one
};

/// A step in two plans. The first one gives loss and gradients of one part of the batch, and runs once for each part of this
/// rank, so that it computes the same wherever a part is. Then ranks say how it went, and only when all of them are well the
/// second one runs: it adds up the gradients, in a binary tree over all parts, and updates.
class ShardedStep {
 public:
  ShardedStep(TrainerCore& core, const Sharding& sharding);
  ShardedStep(const ShardedStep&) = delete;
  ShardedStep& operator=(const ShardedStep&) = delete;

  /// Throws what the model and its like throw, and RankError when they do so on another rank, before any variable is
  /// written. NotFiniteError is thrown on all ranks at once; on those where it fails_here(), explained() says why.
  /// \param counts whether metrics are told.
  StepResult run(const datasets::Epoch& epoch, std::int64_t batch, bool counts, const StopRequest& stop);

  /// Variables that a step assigns and that are not trained, such as running means: each becomes the mean, over samples, of
  /// what the parts make of it; integers what the first part makes of it.
  void set_statistics(const Variables& statistics);

  /// \name What the optimiser remembers, where ranks update in parts: while training goes on it is divided among them
  /// \{
  void divide();
  bool is_divided() const { return partial_ && partial_->is_divided(); }
  /// Where a callback has called what needs all of it: training goes on in parts. Nothing happens when it is divided.
  void divide_again();
  void join();    ///< all ranks together; nothing happens when it is not divided
  void forget();  ///< where the optimiser's variables have been assigned to
  /// Takes what callbacks have assigned to it. \throws ValueError on all ranks when they have not assigned the same.
  void take_assigned();
  /// From now on, what weights and statistics hold is not what a callback has assigned.
  void note_contents() { watched_.note(); }
  /// PartialUpdate::gather; nothing on any rank when it is not divided.
  std::map<const void*, Array> gather() const;
  bool is_in_parts(const Variable& variable) const { return partial_ && partial_->is_in_parts(variable); }
  /// \}

  bool fails_here() const { return fails_here_; }  ///< whether a loss of this rank was not finite
  /// \p error with the story of the loss that was not finite.
  NotFiniteError explained(const NotFiniteError& error);
  /// Where the part at hand, or that threw, begins in its batch.
  std::int64_t first_row() const;

 private:
  using Part =
      std::function<Tensors(const Tensor& features, const Tensor& targets, const Tensor& weight, const Tensor& part)>;

  /// \param explains whether the plan is to say why its loss is not finite.
  Compiled<Part> compile_part(bool explains) const;
  Tensors compute_part(const Tensor& features, const Tensor& targets, const Tensor& weight, const Tensor& part,
                       bool explains) const;
  bool synchronizes() const;
  Tensors run_part(std::int64_t part, double weight) const;
  void run_parts(const datasets::Epoch& epoch, std::int64_t batch, bool counts);
  StepResult agree(const StopRequest& stop) const;
  Facts assigned() const;
  xgrad::detail::Results update(std::span<const Tensor> computed) const;
  Tensors sums(std::span<const Tensor> computed) const;
  void take_gradients(const Tensors& sums, const Tensor& samples) const;

  TrainerCore& core_;
  Sharding sharding_;
  Variables statistics_;
  WatchedVariables watched_;
  std::unique_ptr<PartialUpdate> partial_;  // where there are several ranks, and the update can be cut
  Compiled<Part> compute_;
  xgrad::detail::CompiledFunction update_;

  // Of the step that goes on.
  datasets::Batch at_hand_;
  std::int64_t at_hand_part_ = 0;
  Tensors computed_;  // gradients and statistics of the parts, one part after the other, then the samples of all
  std::vector<double> losses_;   // sums over the samples of each part of this rank
  std::vector<double> samples_;  // of each part of this rank
  bool fails_here_ = false;
  std::optional<NotFiniteError> thrown_;  // by a part of this rank
};

}  // namespace xgrad::nn::detail
