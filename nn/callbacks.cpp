#include "nn/callbacks.hpp"

#include <cmath>
#include <memory>
#include <string>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/monitored.hpp"

namespace xgrad::nn::callbacks {

namespace {

constexpr std::int64_t compared_rates = 16;  // of a schedule

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

  void save(Saved& saved) const {
    saved.put("options/monitor", options.monitor);
    saved.put("options/maximize", options.maximize);
    saved.put("options/patience", options.patience);
    saved.put("options/min_delta", options.min_delta);
    saved.put("options/restore_best", options.restore_best);
    saved.put("best_score", best);
    saved.put("best_epoch", best_epoch);
    saved.put("best", best_state);
  }

  void load(const Saved& saved) {
    best = Best(options.maximize, options.min_delta);
    saved.load("best_score", best);
    saved.load("best_epoch", best_epoch);
    best_state = saved.part("best").arrays();
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
      training.model.load_state(best_state);  // and keeps it, as more epochs may follow
    }
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
          .on_end = [=](TrainingState& training) { stopping->end(training); },
          .name = "early_stopping",
          .save = [=](Saved& saved) { stopping->save(saved); },
          .load = [=](const Saved& saved) { stopping->load(saved); }};
}

Callback schedule(const Schedule& schedule, Per per, std::size_t group, std::source_location where) {
  const auto last = std::make_shared<std::int64_t>(0);  // the step at which it was asked
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
    *last = step;
  };
  Callback callback = per == Per::step ? Callback{.on_batch_start = assign} : Callback{.on_epoch_start = assign};
  callback.name = "schedule";
  callback.silent = true;
  callback.save = [=](Saved& saved) {
    saved.put("options/per", per == Per::step ? "step" : "epoch");
    saved.put("options/group", group);
    saved.put("last", *last);
    for (std::int64_t i = 0; i <= compared_rates; ++i) {
      saved.put(phrase("rate/{}", i), schedule(*last * i / compared_rates));
    }
  };
  // Functions cannot be compared, but what they gave can.
  callback.load = [=](const Saved& saved) {
    const std::int64_t end = saved.integer("last");
    for (std::int64_t i = 0; i <= compared_rates; ++i) {
      const std::int64_t step = end * i / compared_rates;
      const double before = saved.number(phrase("rate/{}", i));
      if (schedule(step) != before) {
        located(where, [&] {
          raise<ValueError>("schedule",
                            phrase("the learning rate at step {} is {}, in the checkpoint {}; give the schedule "
                                   "that it had",
                                   step, schedule(step), before));
        });
      }
    }
    *last = end;
  };
  return callback;
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
              },
          .name = "reduce_on_plateau",
          .save =
              [=](Saved& saved) {
                saved.put("options/monitor", monitor);
                saved.put("options/maximize", options.maximize);
                saved.put("options/factor", options.factor);
                saved.put("options/patience", options.patience);
                saved.put("options/threshold", options.threshold);
                saved.put("options/relative", options.relative);
                saved.put("options/cooldown", options.cooldown);
                saved.put("options/min_rate", options.min_rate);
                saved.put("options/min_change", options.min_change);
                plateau->save(saved);
              },
          .load = [=](const Saved& saved) { plateau->load(saved); }};
}

Callback moving_average(ExponentialMovingAverage& average, std::source_location where) {
  const double decay = average.decay().item();
  return {.on_batch_end = [&average, where](TrainingState&) { average.update(where); },
          .name = "moving_average",
          .save =
              [&average, decay](Saved& saved) {
                saved.put("options/decay", decay);
                saved.put("options/bias_correction", average.bias_correction());
                saved.put("averages", average);
              },
          .load = [&average](const Saved& saved) { saved.load("averages", average); },
          .silent = true};
}

}  // namespace xgrad::nn::callbacks
