#include "nn/callbacks.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/checkpoint.hpp"

namespace xgrad::nn::callbacks {

namespace {

/// That training has a score to be watched.
void require_score(std::string_view callback, const TrainingState& training, const std::string& monitor,
                   const std::source_location& where) {
  if (training.scores.contains(monitor)) {
    return;
  }
  std::string names;
  for (const auto& [name, value] : training.scores) {
    names += (names.empty() ? "" : ", ") + name;
  }
  located(where, [&] {
    raise<ValueError>(callback,
                      phrase("training has no score called '{}'; {}; there are: {}", monitor,
                             monitor.starts_with("validation_") && !training.scores.contains("validation_loss")
                                 ? "give .validation or .validation_fraction in the options of fit"
                                 : "watch another by .monitor",
                             names));
  });
}

/// The best score so far.
class Best {
 public:
  Best(bool maximize, double min_delta)
      : sign_(maximize ? -1 : 1), min_delta_(min_delta), best_(std::numeric_limits<double>::infinity()) {}

  /// Takes note of a score. \return whether it is the best.
  bool update(double score) {
    const bool better = sign_ * score < best_ - min_delta_;
    best_ = better ? sign_ * score : best_;
    return better;
  }

 private:
  double sign_;
  double min_delta_;
  double best_;  // of sign · score: the least
};

struct EarlyStopping {
  EarlyStoppingOptions options;
  std::source_location where;
  Best best{false, 0};
  State best_state = {};
  std::int64_t best_epoch = 0;

  void start(const TrainingState& training) {
    require_score("early_stopping", training, options.monitor, where);
    best = Best(options.maximize, options.min_delta);
    best_state.clear();
    best_epoch = 0;
  }

  void epoch_end(TrainingState& training) {
    if (best.update(training.scores[options.monitor])) {
      best_epoch = training.epoch;
      best_state = options.restore_best ? training.model.state() : State();
    } else if (training.epoch - best_epoch > options.patience) {
      training.stop(best_epoch > 0 ? phrase("{} was best in epoch {}", options.monitor, best_epoch)
                                   : phrase("{} was never a finite number", options.monitor));
    }
  }

  void end(const TrainingState& training) {
    if (!best_state.empty() && !training.interrupted) {
      training.model.load_state(best_state);
    }
    best_state.clear();
  }
};

}  // namespace

Callback early_stopping(const EarlyStoppingOptions& options, std::source_location where) {
  if (options.patience < 0) {
    located(where, [&] {
      raise<ValueError>("early_stopping", phrase("the patience is {}; give 0 epochs or more", options.patience));
    });
  }
  const auto stopping = std::make_shared<EarlyStopping>(EarlyStopping{options, where});
  return {.on_start = [=](TrainingState& training) { stopping->start(training); },
          .on_epoch_end = [=](TrainingState& training) { stopping->epoch_end(training); },
          .on_end = [=](TrainingState& training) { stopping->end(training); }};
}

Callback checkpoint(const std::filesystem::path& folder, const CheckpointOptions& options, std::source_location where) {
  const auto best = std::make_shared<Best>(options.maximize, 0);
  return {.on_start =
              [=](TrainingState& training) {
                require_score("checkpoint", training, options.monitor, where);
                *best = Best(options.maximize, 0);
              },
          .on_epoch_end =
              [=](TrainingState& training) {
                if (best->update(training.scores[options.monitor])) {
                  write_state(folder, training.model.state());
                }
              }};
}

Callback schedule(const Schedule& schedule, Per per, std::size_t group, std::source_location where) {
  const auto assign = [=](TrainingState& training) {
    const std::int64_t step = per == Per::step ? training.step : training.epoch - 1;
    const double rate = schedule(step);
    if (!(rate >= 0 && std::isfinite(rate))) {
      located(where, [&] {
        raise<ValueError>("schedule",
                          phrase("the learning rate at step {} is {}; give a schedule of finite numbers, 0 or "
                                 "more",
                                 step, rate));
      });
    }
    training.optimizer.learning_rate(group, where).assign(rate);
  };
  return per == Per::step ? Callback{.on_batch_start = assign} : Callback{.on_epoch_start = assign};
}

Callback reduce_on_plateau(const ReduceOnPlateauOptions& options, const std::string& monitor,
                           std::source_location where) {
  const auto plateau = std::make_shared<ReduceOnPlateau>(1.0, options, where);
  return {.on_start =
              [=](TrainingState& training) {
                require_score("reduce_on_plateau", training, monitor, where);
                *plateau = ReduceOnPlateau(training.optimizer.learning_rate().item(), options, where);
              },
          .on_epoch_end =
              [=](TrainingState& training) {
                training.optimizer.learning_rate().assign(plateau->update(training.scores[monitor]));
              }};
}

}  // namespace xgrad::nn::callbacks
