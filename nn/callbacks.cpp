#include "nn/callbacks.hpp"

#include <limits>
#include <memory>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/checkpoint.hpp"

namespace xgrad::nn::callbacks {

namespace {

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
  Best best{false, 0};
  State best_state = {};
  std::int64_t best_epoch = 0;

  void start(const TrainingState& training) {
    training.scores[options.monitor];
    best = Best(options.maximize, options.min_delta);
    best_state.clear();
    best_epoch = 0;
  }

  void epoch_end(TrainingState& training) {
    if (best.update(training.scores[options.monitor])) {
      best_epoch = training.epoch;
      best_state = options.restore_best ? training.model.state() : State();
    } else if (training.epoch - best_epoch > options.patience) {
      training.stop(phrase("{} was best in epoch {}", options.monitor, best_epoch));
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
  const auto stopping = std::make_shared<EarlyStopping>(EarlyStopping{options});
  return {.on_start = [=](TrainingState& training) { stopping->start(training); },
          .on_epoch_end = [=](TrainingState& training) { stopping->epoch_end(training); },
          .on_end = [=](TrainingState& training) { stopping->end(training); }};
}

Callback checkpoint(const std::filesystem::path& folder, const CheckpointOptions& options) {
  const auto best = std::make_shared<Best>(options.maximize, 0);
  return {.on_start =
              [=](TrainingState& training) {
                training.scores[options.monitor];
                *best = Best(options.maximize, 0);
              },
          .on_epoch_end =
              [=](TrainingState& training) {
                if (best->update(training.scores[options.monitor])) {
                  write_state(folder, training.model.state());
                }
              }};
}

Callback schedule(const Schedule& schedule, Per per, std::size_t group) {
  const auto assign = [=](TrainingState& training) {
    training.optimizer.learning_rate(group).assign(schedule(per == Per::step ? training.step : training.epoch - 1));
  };
  return per == Per::step ? Callback{.on_batch_start = assign} : Callback{.on_epoch_start = assign};
}

Callback reduce_on_plateau(const ReduceOnPlateauOptions& options, const std::string& monitor,
                           std::source_location where) {
  const auto plateau = std::make_shared<ReduceOnPlateau>(1.0, options, where);
  return {.on_start =
              [=](TrainingState& training) {
                training.scores[monitor];
                *plateau = ReduceOnPlateau(training.optimizer.learning_rate().item(), options, where);
              },
          .on_epoch_end =
              [=](TrainingState& training) {
                training.optimizer.learning_rate().assign(plateau->update(training.scores[monitor]));
              }};
}

}  // namespace xgrad::nn::callbacks
