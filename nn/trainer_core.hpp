#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "autograd/plan/compile.hpp"
#include "autograd/runtime/progress_line.hpp"
#include "nn/rank_talk.hpp"
#include "nn/saved.hpp"
#include "nn/sharded_metrics.hpp"
#include "nn/sharded_step.hpp"
#include "nn/trainer.hpp"

/// \file
/// Internal: the compiled steps of a Trainer.

namespace xgrad::nn {

/// What training, evaluation and the learning rate range test have in common.
struct detail::TrainerCore {
  /// The loss of a batch, and what the model gives for it.
  using Result = std::pair<Tensor, Tensor>;
  using Step = std::function<Result(const Tensor& features, const Tensor& targets)>;
  using Forward = std::function<Tensor(const Tensor& features)>;

  TrainerCore(Module model, std::shared_ptr<Optimizer> optimizer, Loss loss, TrainerOptions options,
              std::source_location where);
  TrainerCore(const TrainerCore&) = delete;
  TrainerCore& operator=(const TrainerCore&) = delete;

  /// What is done in a step beside taking it.
  struct StepOptions {
    bool updates = true;    ///< where several batches make one update, whether that is due; else it always is
    bool counts = true;     ///< whether metrics are told
    StopRequest stop = {};  ///< what this rank wishes
  };
  /// One step of training, on batch number \p batch of \p epoch. Throws NotFiniteError before anything is written.
  StepResult step(const datasets::Epoch& epoch, std::int64_t batch, const StepOptions& with);
  /// Looks at what a step does, where that has to be known before the first one.
  void prepare(const datasets::Batches& batches);
  /// Whether a fit goes on, and what the optimiser remembers is divided among ranks meanwhile.
  bool is_in_parts() const { return snapshot && sharded && sharded->is_divided(); }
  /// Has the optimiser remember all again, when all ranks have thrown.
  void join_after_failure() noexcept;
  /// Forgets gradients of an epoch that did not come to its end, and what the metrics have counted.
  void begin_epoch();

  /// The loss, one number, of a call of the model.
  Result loss_of(const Tensor& features, const Tensor& targets, const Mode& mode) const;
  /// The same in training, by this step's random numbers. Throws NotFiniteError when it is computed.
  Result training_loss_of(const Tensor& features, const Tensor& targets) const;
  /// What the random numbers of this step come from.
  random::Key training_key() const;
  /// The loss of a batch, when it is finite; else a NotFiniteError, when it is computed.
  Tensor when_finite(const Tensor& batch_loss) const;
  /// The same where the gradients of a batch are looked at, and not by clipping.
  Tensor when_gradients_are_finite(const Tensor& batch_loss, const Tensors& found) const;
  /// Takes a step by the gradients of a loss, or adds them up. Where they are looked at, the loss comes to depend on that.
  void use_gradients_of(Tensor& batch_loss, std::int64_t samples);
  /// The limits to gradients, as far as they have not been looked at.
  Clipping clipping() const;

  /// Batches that are neither shuffled nor augmented.
  datasets::Batches plain_batches(const datasets::Dataset& data) const;
  /// What the model gives for the features of \p data, in inference, batch by batch: (n, ...), without history; \p line says
  /// how far it is.
  Tensor predictions(const datasets::Dataset& data, runtime::ProgressLine& line) const;
  /// The loss and the metrics over \p data, under their names behind \p prefix; \p line likewise.
  void evaluate(const datasets::Dataset& data, std::string_view prefix, Scores& scores, runtime::ProgressLine& line);
  /// The sum of the losses of all samples, where each part has some of the batches.
  double sharded_test_loss(const datasets::Epoch& epoch, runtime::ProgressLine& line);
  /// Puts the metrics' numbers under their names behind \p prefix: those of all parts and ranks.
  void read_metrics(std::string_view prefix, Scores& scores);
  void reset_metrics();
  void update_metrics(const Tensor& predictions, const Array& targets);
  /// The same for a part of those of this rank, from 0.
  void update_part_metrics(std::int64_t part, const Tensor& predictions, const Array& targets);

  /// Model, optimiser, sums of gradients, metrics, options, and how many steps and epochs there were.
  Saved saved();
  /// What the optimiser knows; of several ranks that have it in parts, moments are on the root alone.
  State optimizer_state() const;
  /// What of saved() is compared and loaded: outside of a fit neither sums of gradients nor what only its steps assign.
  enum class Part : std::uint8_t { all, outside_fit };
  /// Adds where a checkpoint is of another model or optimiser. Throws ValueError for what is none of a Trainer's.
  void add_differences(std::string_view op, const Saved& saved, Part part, std::vector<std::string>& found) const;
  /// Takes all of saved() back but the metrics, all or nothing. What is left out begins anew.
  void load(const Saved& saved, Part part);
  void load_metrics(const Saved& saved);
  /// All that what is computed depends on, and that can be written.
  Saved saved_options() const;
  /// A number for what a step computes, from its graph; notes which variables it assigns beside those that are known.
  std::uint64_t look_at_step(const datasets::Batch& batch);
  void note_others(const Variables& assigned);
  State others_in(const Saved& saved, Part part) const;
  Saved saved_metrics();
  /// All variables that a step may assign, but for sums of gradients, by names of their own.
  std::vector<NamedVariable> named_variables() const;
  /// Those of \p parameters and \p statistics, each by one of its names.
  std::vector<NamedVariable> named(const Variables& parameters, const Variables& statistics) const;
  /// What a step reads of the optimiser beside its state, such as the learning rate.
  std::vector<NamedVariable> optimizer_numbers() const;

  Module model;
  std::shared_ptr<Optimizer> optimizer;
  Loss loss;
  TrainerOptions options;
  std::source_location where;
  RankTalk talk;
  Sharding sharding;
  Variable steps;           // taken so far: what dropout depends on
  std::int64_t epochs = 0;  // begun so far: what shuffling depends on

  std::function<Saved()> snapshot;  // of the fit that goes on; empty when there is none
  Saved initial_numbers;            // of the optimiser, when this was made
  Variables others;                 // trained or assigned in a step, but neither the model's nor the optimiser's

  bool looks_at_gradients;  // as the options say; checkpoints of steps that do and that do not are interchangeable

  std::optional<GradientAccumulator> gradients;  // where several batches make one update

  datasets::Batch at_hand;                 // of the step that goes on, or threw
  Compiled<Step> train_step;               // which updates, or accumulates
  Compiled<std::function<void()>> update;  // by what was accumulated
  Compiled<Step> test_step;
  Compiled<Forward> forward;

  // Where batches have several parts.
  std::optional<ShardedStep> sharded;
  std::optional<ShardedMetrics> part_metrics;
  bool is_prepared = false;
  std::uint64_t step_hash = 0;  // of what ranks have to have in common
};

/// \throws ValueError when \p data, called \p what, has no samples.
void require_samples(std::string_view op, const datasets::Dataset& data, std::string_view what);

}  // namespace xgrad::nn
