#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "autograd/ops/require_finite.hpp"
#include "datasets/batches.hpp"
#include "nn/fit_access.hpp"
#include "nn/interrupt.hpp"
#include "nn/rank_facts.hpp"
#include "nn/saved.hpp"
#include "nn/trainer.hpp"
#include "nn/trainer_core.hpp"

/// \file
/// Internal: one call of Trainer::fit.

namespace xgrad::nn::detail {

/// What is trained on, and what the model is validated with.
struct FitData {
  datasets::Dataset given;                      ///< before a part of it became validation data
  datasets::Dataset train;                      ///< what is left
  std::optional<datasets::Dataset> validation;  ///< that part, or what the options have
};

/// Training as a sequence of moments, between each of which something is done, and in each of which callbacks are called.
/// So it can be taken down in any callback, and begun again behind that: what has to be known is the moment, the callback
/// and the numbers beside it.
class Fitting {
 public:
  /// \throws ValueError for options or data that do not go together.
  Fitting(TrainerCore& core, const datasets::Dataset& data, const FitOptions& options,
          const std::source_location& where);
  Fitting(const Fitting&) = delete;
  Fitting& operator=(const Fitting&) = delete;
  ~Fitting();

  /// From the beginning, or from where a checkpoint was taken.
  History run();
  /// Tells callbacks what run() has thrown.
  void tell_error(const std::exception& error);

 private:
  using Clock = std::chrono::steady_clock;

  enum class Moment : std::uint8_t { start, epoch_start, batch_start, batch_end, epoch_end, end };

  void prepare();
  void tell_resumed(const std::filesystem::path& path) const;
  void join();
  void take_down_interrupted();
  void call_callbacks();
  Moment go_on();
  Moment next_epoch();
  Moment next_batch();
  bool goes_on(bool asks);
  StopRequest wish() const;
  void take(const StopRequest& stop);
  bool is_called(const Callback& callback) const;
  void forget_scores();
  void run_step();
  std::int64_t sample_of_given(std::int64_t sample) const;
  [[noreturn]] void raise_not_finite(const NotFiniteError& error) const;
  void finish_epoch();

  // What fitting_state.cpp does: all of it in a Saved, and out of it again.
  Saved snapshot();
  Saved saved_callbacks() const;
  Facts facts() const;
  Facts facts_of_callbacks() const;
  void put_identity(Saved& run);
  void restore(const Saved& saved);
  void require_same(const Saved& saved);
  void restore_callbacks(const Saved& saved);
  std::size_t callback_of(const Saved& saved) const;
  void restore_position(const Saved& saved);

  TrainerCore& core_;
  FitData data_;
  const FitOptions& options_;
  std::source_location where_;
  datasets::Batches batches_;
  std::vector<Callback> callbacks_;          // the last one shows progress
  std::vector<std::string> callback_names_;  // different ones, of all but that
  bool asks_each_batch_ = false;             // whether callbacks may stop training or read scores then
  TrainingState training_;
  History history_;
  FitAccess access_;
  Interrupt interrupt_;

  Moment moment_ = Moment::start;
  Moment before_end_ = Moment::start;  // which moment came before the end
  std::size_t callback_ = 0;           // which is called in this moment
  std::optional<datasets::Epoch> epoch_;
  double loss_sum_ = 0;
  double samples_ = 0;
  double earlier_seconds_ = 0;  // of this epoch, before the checkpoint
  Clock::time_point epoch_start_;
  std::int64_t first_step_;  // how many the Trainer had taken when this began
  std::optional<Saved> identity_;
  std::optional<Saved> interrupted_;  // what a checkpoint is of once training was interrupted
};

}  // namespace xgrad::nn::detail
