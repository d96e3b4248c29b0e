#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <source_location>
#include <string>

#include "nn/history.hpp"
#include "nn/module.hpp"
#include "nn/moving_average.hpp"
#include "nn/optimizers/optimizer.hpp"
#include "nn/ranks.hpp"
#include "nn/saved.hpp"
#include "nn/schedules.hpp"

/// \file
/// What can be done in the course of training, between the steps.

namespace xgrad::nn {

namespace detail {
struct FitAccess;
}

/// Where training stands, as callbacks see it.
struct TrainingState {
  const Module& model;         ///< with its weights as they are now
  const Optimizer& optimizer;  ///< its learning rate and its kin may be assigned
  std::int64_t epochs = 0;     ///< how many there will be
  std::int64_t batches = 0;    ///< per epoch
  std::int64_t epoch = 0;      ///< this one, from 1
  std::int64_t batch = 0;      ///< this one, from 1
  std::int64_t step = 0;       ///< number of steps taken since fit began
  double batch_loss = 0;       ///< of the last step
  Scores scores = {};          ///< as in History, of this epoch so far; NaN what is not known yet
  std::string stopped = {};    ///< why training is to end; empty while it goes on
  bool interrupted = false;    ///< whether that is because somebody pressed Ctrl-C, or called interrupt()
  /// A checkpoint of now, for write_saved: fit goes on behind this callback. Of several ranks, all call it, and the root writes:
  /// it alone is given moments that the optimiser has in parts.
  std::function<Saved()> snapshot = {};
  std::shared_ptr<const Ranks> world = {};      ///< TrainerOptions::world
  std::function<bool(bool)> as_root_says = {};  ///< what the root gives it; called by all ranks at the same place
  const detail::FitAccess* access = nullptr;    ///< what callbacks of the library see beside this

  /// Whether this rank prints and writes files; there is one that does.
  bool is_root() const { return !world || world->is_root(); }

  /// Ends training: after this batch or epoch there is no other. The first reason stays.
  void stop(const std::string& reason) { stopped = stopped.empty() ? reason : stopped; }
  /// The same for now, as Ctrl-C does: resumed from a checkpoint, training goes on.
  void interrupt(const std::string& reason) {
    interrupted = interrupted || stopped.empty();
    stop(reason);
  }
};

/// Functions that Trainer::fit calls; what is left out is not called. An exception that one throws ends training.
///
///     nn::Callback average{.on_batch_end = [&](nn::TrainingState&) { averages.update(); }};
///
/// What it knows is part of a checkpoint when it has `save` and `load`; without them it begins anew, with a warning, where
/// training is resumed: on_start is called then, and not otherwise.
struct Callback {
  using Function = std::function<void(TrainingState&)>;  ///< of any of the first six

  Function on_start = {};        ///< before the first epoch; scores have their names, and NaN
  Function on_epoch_start = {};  ///< before the first batch of an epoch
  Function on_batch_start = {};  ///< before a step
  Function on_batch_end = {};    ///< after a step
  Function on_epoch_end = {};    ///< after an epoch and its validation; not of an epoch that was stopped midway
  Function on_end = {};          ///< after the last epoch, or when training was stopped
  Function on_resume = {};       ///< where training is resumed, after `load`

  std::string name = {};  ///< under which checkpoints keep what it knows
  /// Puts what it knows into a Saved of its own. What is under `options/` has to be the same when training is resumed.
  std::function<void(Saved&)> save = {};
  std::function<void(const Saved&)> load = {};  ///< takes that back, in place of on_start
  /// When an exception ends training, in place of on_end; fit throws it when all callbacks know. Other ranks, where there are
  /// any, have been told before.
  std::function<void(TrainingState&, const std::exception&)> on_error = {};
  /// Of several ranks, whether it is for the root alone: others never call it. For what prints, or writes a file; it must
  /// not call what all ranks have to call, such as `snapshot` or Trainer::evaluate.
  bool root_only = false;
  /// Whether on_batch_start and on_batch_end neither read scores nor stop training: of several ranks, or shards, these need
  /// not be brought together after each batch then.
  bool silent = false;
};

/// The callbacks there are.
namespace callbacks {

/// Options of early_stopping.
struct EarlyStoppingOptions {
  std::string monitor = "validation_loss";  ///< which of the scores is watched
  bool maximize = false;                    ///< whether a larger one is better, as of an accuracy
  std::int64_t patience = 5;                ///< how many epochs in a row may be no better
  double min_delta = 0;                     ///< by how much a score must be better to count
  bool restore_best = true;                 ///< whether the model has the weights of its best epoch in the end
};

/// Ends training when a score stops getting better, and gives the model the state that it had after its best epoch; not
/// after Ctrl-C, which leaves the weights as they are. NaN is never better.
/// \throws ValueError for a patience below 0, and from fit for a score that there is not.
Callback early_stopping(const EarlyStoppingOptions& options = {},
                        std::source_location where = std::source_location::current());

/// Options of checkpoint.
struct CheckpointOptions {
  std::int64_t every_batches = 0;  ///< also after every so many batches; 0: after epochs alone
  double every_seconds = 0;        ///< also after a batch, when so many seconds have gone by since the last; 0: not
  /// How many are kept, each in a file of its own: `run-000000123.safetensors`, with the number of steps, for
  /// `run.safetensors`. 0: one, at that very path, each in the place of the last.
  std::int64_t keep_last = 0;
  bool keep_best = false;                   ///< keep the one of the best epoch, too: `run-best.safetensors`
  std::string monitor = "validation_loss";  ///< which of the scores says which epoch is best
  bool maximize = false;                    ///< whether a larger one is better, as of an accuracy
};

/// Writes a checkpoint, to be resumed by FitOptions::resume, after every epoch, and as \p options say. Another process that
/// writes the same checkpoints is kept out. When one cannot be written, a line on standard error says why, what was there
/// stays, and training goes on. The model alone: `model.load_state(nn::read_saved(path).state("model"))`.
/// \throws ValueError for options out of range, and from fit, with keep_best, for a score that there is not.
Callback checkpoint(const std::filesystem::path& path, const CheckpointOptions& options = {},
                    std::source_location where = std::source_location::current());

/// How often a schedule is asked.
enum class Per {
  step,  ///< before every step, with the number of steps taken since fit began
  epoch  ///< before every epoch, with the number of epochs since fit began
};

/// Assigns what \p schedule gives to the learning rate of a group of parameters, and of those that share it.
/// \throws ValueError from fit, when there is no such group, or the schedule gives NaN or less than 0.
Callback schedule(const Schedule& schedule, Per per = Per::step, std::size_t group = 0,
                  std::source_location where = std::source_location::current());

/// Lowers the learning rate when a score stops getting better; it begins at what the optimiser has (of its first group).
/// \throws ValueError for options out of range, and from fit for a score that there is not.
Callback reduce_on_plateau(const ReduceOnPlateauOptions& options = {}, const std::string& monitor = "validation_loss",
                           std::source_location where = std::source_location::current());

/// Takes the weights into \p average, which has to outlive training, after every step. A checkpoint has the averages.
Callback moving_average(ExponentialMovingAverage& average,
                        std::source_location where = std::source_location::current());

/// Writes a line of comma-separated scores after every epoch, under a line with their names; the first is `epoch`.
/// Replaces the file; where training is resumed, goes on behind the lines that there were when the checkpoint was made.
/// \throws FileError from fit, when it cannot be written.
Callback csv_log(const std::filesystem::path& path);

/// Writes a line with a JSON object of scores after every epoch: `{"epoch":1,"loss":0.5}`; NaN and infinity are null.
/// The first also says what run it is, under `run`: machine, command line, options, as RunRecord has them. Where training
/// is stopped, a last line says why: `{"stopped":"..."}`. read_runs reads it, and xgrad-report makes a page of it.
/// Replaces the file; where training is resumed, goes on behind the lines that there were when the checkpoint was made.
/// \throws FileError from fit, when it cannot be written.
Callback json_log(const std::filesystem::path& path);

}  // namespace callbacks

}  // namespace xgrad::nn
