#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <source_location>
#include <string>

#include "nn/history.hpp"
#include "nn/module.hpp"
#include "nn/optimizers/optimizer.hpp"
#include "nn/schedules.hpp"

/// \file
/// What can be done in the course of training, between the steps.

namespace xgrad::nn {

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
  bool interrupted = false;    ///< whether that is because somebody pressed Ctrl-C

  /// Ends training: after this batch or epoch there is no other. The first reason stays.
  void stop(const std::string& reason) { stopped = stopped.empty() ? reason : stopped; }
};

/// Functions that Trainer::fit calls; what is left out is not called. An exception that one throws ends training.
///
///     nn::Callback average{.on_batch_end = [&](nn::TrainingState&) { averages.update(); }};
struct Callback {
  using Function = std::function<void(TrainingState&)>;  ///< of any of them

  Function on_start = {};        ///< before the first epoch; scores have their names, and NaN
  Function on_epoch_start = {};  ///< before the first batch of an epoch
  Function on_batch_start = {};  ///< before a step
  Function on_batch_end = {};    ///< after a step
  Function on_epoch_end = {};    ///< after an epoch and its validation; not of an epoch that was stopped midway
  Function on_end = {};          ///< after the last epoch, or when training was stopped
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
  std::string monitor = "validation_loss";  ///< which of the scores is watched
  bool maximize = false;                    ///< whether a larger one is better, as of an accuracy
};

/// Writes the state of the model into \p folder, as write_state does, after every epoch that is the best so far.
/// \throws FileError from fit, when that fails. \throws ValueError from fit, for a score that there is not.
Callback checkpoint(const std::filesystem::path& folder, const CheckpointOptions& options = {},
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

/// Writes a line of comma-separated scores after every epoch, under a line with their names; the first is `epoch`.
/// Replaces the file. \throws FileError from fit, when it cannot be written.
Callback csv_log(const std::filesystem::path& path);

/// Writes a line with a JSON object of scores after every epoch: `{"epoch":1,"loss":0.5}`; NaN and infinity are null.
/// Replaces the file. \throws FileError from fit, when it cannot be written.
Callback json_log(const std::filesystem::path& path);

}  // namespace callbacks

}  // namespace xgrad::nn
