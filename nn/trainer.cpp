#include "nn/trainer.hpp"

#include <chrono>
#include <cstdio>
#include <limits>

#include <sys/ioctl.h>
#include <unistd.h>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/dataset.hpp"
#include "nn/interrupt.hpp"
#include "nn/progress.hpp"
#include "nn/trainer_core.hpp"

namespace xgrad::nn {

namespace {

using Clock = std::chrono::steady_clock;
using datasets::Dataset;

constexpr std::string_view op = "fit";
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// What is trained on, and what the model is validated with.
struct Data {
  Dataset train;
  std::optional<Dataset> validation;
};

Data divide(const Dataset& data, const FitOptions& options, std::uint64_t seed) {
  const double fraction = options.validation_fraction;
  if (!(fraction >= 0 && fraction < 1)) {
    raise<ValueError>(op, phrase("the validation fraction is {}; give one in [0, 1)", fraction));
  }
  require_samples(op, data, "the training data");
  if (fraction == 0) {
    if (options.validation) {
      require_samples(op, *options.validation, "the validation data");
    }
    return {data, options.validation};
  }
  if (options.validation) {
    raise<ValueError>(op, "there are validation data and a validation fraction; give one of them");
  }
  const auto [train, validation] = datasets::split(data, {.fraction = fraction, .seed = seed});
  if (train.size() == 0 || validation.size() == 0) {
    raise<ValueError>(op, phrase("a validation fraction of {} leaves {} of {} samples for training; give another",
                                 fraction, train.size(), data.size()));
  }
  return {train, validation};
}

Callback make_progress(Progress progress) {
  const Write write = [](const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  };
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  if (progress == Progress::quiet) {
    return {};
  }
  if (progress == Progress::lines || (progress == Progress::automatic && !terminal)) {
    return progress_lines(write);
  }
  winsize size = {};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return progress_bar(write, known ? size.ws_col - 1U : 79U);
}

/// One call of fit.
class Fitting {
 public:
  Fitting(detail::TrainerCore& core, const Data& data, const FitOptions& options)
      : core_(core),
        validation_(data.validation),
        batches_(data.train, core.options.batches),
        callbacks_(options.callbacks),
        training_{
            .model = core.model, .optimizer = *core.optimizer, .epochs = options.epochs, .batches = batches_.count()} {
    if (options.epochs < 1) {
      raise<ValueError>(op, phrase("{} epochs; give 1 or more", options.epochs));
    }
    if (batches_.count() == 0) {
      raise<ValueError>(op, phrase("{} samples do not fill a batch of {}, and smaller ones are dropped; give a "
                                   "smaller batch size",
                                   data.train.size(), core.options.batches.batch_size));
    }
    callbacks_.push_back(make_progress(options.progress));
  }

  History run() {
    forget_scores();
    call(&Callback::on_start);
    while (goes_on() && training_.epoch < training_.epochs) {
      ++training_.epoch;
      if (run_epoch()) {
        history_.epochs.push_back(training_.scores);
        call(&Callback::on_epoch_end);
        goes_on();
      }
    }
    call(&Callback::on_end);
    history_.stopped = training_.stopped;
    return history_;
  }

 private:
  void call(Callback::Function Callback::*function) {
    for (const Callback& callback : callbacks_) {
      if (callback.*function) {
        (callback.*function)(training_);
      }
    }
  }

  bool goes_on() {
    if (interrupt_.requested() && training_.stopped.empty()) {
      training_.interrupted = true;
      training_.stop(phrase("interrupted in epoch {}, batch {}", training_.epoch, training_.batch));
    }
    return training_.stopped.empty();
  }

  // Gives every score its name and place.
  void forget_scores() {
    const auto forget = [&](const std::string& prefix) {
      training_.scores.set(prefix + "loss", unknown);
      for (const Metric& metric : core_.options.metrics) {
        training_.scores.set(prefix + metric.name(), unknown);
      }
    };
    forget("");
    if (validation_) {
      forget("validation_");
    }
    training_.scores.set("learning_rate", unknown);
    training_.scores.set("seconds", unknown);
  }

  // Whether the epoch came to its end.
  bool run_epoch() {
    const Clock::time_point start = Clock::now();
    forget_scores();
    core_.begin_epoch();
    training_.batch = 0;
    call(&Callback::on_epoch_start);
    double loss_sum = 0;
    double samples = 0;
    for (const datasets::Batch& batch : batches_.epoch(core_.epochs++)) {
      if (!goes_on()) {
        return false;
      }
      ++training_.batch;
      call(&Callback::on_batch_start);
      run_step(batch);
      const auto size = static_cast<double>(batch.features.shape()[0]);
      loss_sum += training_.batch_loss * size;
      samples += size;
      training_.scores.set("loss", loss_sum / samples);
      core_.read_metrics("", training_.scores);
      call(&Callback::on_batch_end);
    }
    if (!goes_on()) {
      return false;
    }
    if (validation_) {
      core_.evaluate(*validation_, "validation_", training_.scores);
    }
    training_.scores.set("learning_rate", core_.optimizer->learning_rate().item());
    training_.scores.set("seconds", std::chrono::duration<double>(Clock::now() - start).count());
    return true;
  }

  void run_step(const datasets::Batch& batch) {
    try {
      const auto [loss, predictions] = core_.train(batch, training_.batch, training_.batch == training_.batches);
      training_.batch_loss = loss.item();
      core_.update_metrics(predictions, batch.targets);
    } catch (const LossNotFinite& error) {
      raise<ValueError>(op, phrase("the loss is not finite in epoch {}, batch {} of {}, and no variable was changed "
                                   "by this step; lower the learning rate, clip gradients, or look at the "
                                   "features. The first result that is not finite:\n  {}",
                                   training_.epoch, training_.batch, training_.batches, core_.first_not_finite(batch)));
    } catch (Error& error) {
      error.add_note(phrase("in epoch {}, batch {} of {}", training_.epoch, training_.batch, training_.batches));
      throw;
    }
    ++training_.step;
  }

  detail::TrainerCore& core_;
  std::optional<Dataset> validation_;
  datasets::Batches batches_;
  std::vector<Callback> callbacks_;
  TrainingState training_;
  History history_;
  Interrupt interrupt_;
};

}  // namespace

Trainer::Trainer(Module model, std::shared_ptr<Optimizer> optimizer, Loss loss, TrainerOptions options,
                 std::source_location where)
    : core_(located(where, [&] {
        return std::make_shared<detail::TrainerCore>(std::move(model), std::move(optimizer), std::move(loss),
                                                     std::move(options), where);
      })) {}

History Trainer::fit(const datasets::Dataset& data, const FitOptions& options, std::source_location where) {
  return located(where,
                 [&] { return Fitting(*core_, divide(data, options, core_->options.batches.seed), options).run(); });
}

Scores Trainer::evaluate(const datasets::Dataset& data, std::source_location where) {
  return located(where, [&] {
    require_samples("evaluate", data, "the data");
    Scores scores;
    core_->evaluate(data, "", scores);
    return scores;
  });
}

Tensor Trainer::predict(const Operand& features) {
  return located(features.where(), [&] {
    const Tensor all = features.tensor();
    const Dataset data(all.array(), zeros({all.ndim() == 0 ? 0 : all.shape(0)}, DType::int64).array());
    require_samples("predict", data, "the features");
    Tensors parts;
    for (const auto& [batch, unused] : core_->plain_batches(data).epoch(0)) {
      parts.push_back(core_->forward(batch));
    }
    const Tensor predictions = parts.size() == 1 ? parts.front() : concatenate(parts, 0, features.where());
    return predictions.detach();
  });
}

}  // namespace xgrad::nn
