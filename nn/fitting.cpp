#include "nn/fitting.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <set>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/ops/require_finite.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/dataset.hpp"
#include "nn/checkpoints.hpp"
#include "nn/progress.hpp"
#include "nn/rank_agreement.hpp"
#include "nn/saved_file.hpp"

namespace xgrad::nn::detail {

namespace {

using datasets::Dataset;

constexpr std::string_view fit_op = "fit";
constexpr double not_known = std::numeric_limits<double>::quiet_NaN();

FitData divide(const Dataset& data, const FitOptions& options, std::uint64_t seed) {
  const double fraction = options.validation_fraction;
  if (!(fraction >= 0 && fraction < 1)) {
    raise<ValueError>(fit_op, phrase("the validation fraction is {}; give one in [0, 1)", fraction));
  }
  require_samples(fit_op, data, "the training data");
  if (fraction == 0) {
    if (options.validation) {
      require_samples(fit_op, *options.validation, "the validation data");
    }
    return {data, data, options.validation};
  }
  if (options.validation) {
    raise<ValueError>(fit_op, "there are validation data and a validation fraction; give one of them");
  }
  const auto [train, validation] = datasets::split(data, {.fraction = fraction, .seed = seed});
  if (train.size() == 0 || validation.size() == 0) {
    raise<ValueError>(fit_op, phrase("a validation fraction of {} leaves {} of {} samples for training; give another",
                                     fraction, train.size(), data.size()));
  }
  return {data, train, validation};
}

// Different ones, under which a checkpoint keeps what callbacks know.
std::vector<std::string> names_of(const std::vector<Callback>& callbacks) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const Callback& callback : callbacks) {
    const std::string own = callback.name.empty() ? "callback" : callback.name;
    std::string name = own;
    for (int number = 2; !taken.insert(name).second; ++number) {
      name = phrase("{}.{}", own, number);
    }
    names.push_back(name);
  }
  return names;
}

}  // namespace

Fitting::Fitting(TrainerCore& core, const Dataset& data, const FitOptions& options, const std::source_location& where)
    : core_(core),
      data_(divide(data, options, core.options.batches.seed)),
      options_(options),
      where_(where),
      batches_(data_.train, core.options.batches, where),
      callbacks_(options.callbacks),
      callback_names_(names_of(options.callbacks)),
      training_{.model = core.model,
                .optimizer = *core.optimizer,
                .epochs = options.epochs,
                .batches = batches_.count(),
                .world = core.talk.world()},
      access_{core, options, data_.train, data_.validation ? &*data_.validation : nullptr, history_},
      first_step_(core.steps.item<std::int64_t>()) {
  training_.access = &access_;
  if (options.epochs < 1) {
    raise<ValueError>(fit_op, phrase("{} epochs; give 1 or more", options.epochs));
  }
  if (batches_.count() == 0) {
    raise<ValueError>(fit_op, phrase("{} samples do not fill a batch of {}, and smaller ones are dropped; give a "
                                     "smaller batch size",
                                     data_.train.size(), core.options.batches.batch_size));
  }
  asks_each_batch_ = std::any_of(callbacks_.begin(), callbacks_.end(), [](const Callback& callback) {
    return !callback.silent && (callback.on_batch_start || callback.on_batch_end);
  });
  callbacks_.push_back(progress_of_fit(options.progress));
  callbacks_.back().root_only = true;
  training_.snapshot = [this] { return core_.talk.together_to_the_end("snapshot", [this] { return snapshot(); }); };
  training_.as_root_says = [this](bool own) { return core_.talk.as_root_says(own); };
  core_.snapshot = training_.snapshot;
}

// Else a run that is complete, and is begun again, would seem to train.
void Fitting::tell_resumed(const std::filesystem::path& path) const {
  if (options_.progress == Progress::quiet || !core_.talk.is_root()) {
    return;
  }
  const bool is_complete =
      moment_ == Moment::end || (moment_ == Moment::epoch_end && training_.epoch >= training_.epochs);
  const std::string place =
      is_complete ? "which is complete" : phrase("in epoch {}, batch {}", training_.epoch, training_.batch);
  runtime::write_now(phrase("goes on from {}, {}\n", path.string(), place));
}

Fitting::~Fitting() { core_.snapshot = nullptr; }

// What callbacks throw now is less than what they are told.
void Fitting::tell_error(const std::exception& error) {
  for (const Callback& callback : callbacks_) {
    if (callback.on_error && (!callback.root_only || training_.is_root())) {
      try {
        callback.on_error(training_, error);
      } catch (const std::exception& another) {
        std::fputs(phrase("xgrad: a callback that was told of an error has failed: {}\n", another.what()).c_str(),
                   stderr);
      }
    }
  }
}

void Fitting::prepare() {
  forget_scores();
  core_.prepare(batches_);
  if (core_.sharded) {
    core_.sharded->join();  // where ranks could not talk when an earlier fit failed
    agree_at_start(fit_op, core_, core_.talk.size() > 1 ? facts() : Facts());
    core_.sharded->divide();
  }
  if (options_.resume) {
    std::filesystem::path path;
    restore(read_on_root(core_.talk, [&] {
      path = newest_checkpoint(fit_op, *options_.resume);
      return read_saved_file(fit_op, path);
    }));
    tell_resumed(path);
  }
}

// Has all ranks have all of the optimiser.
void Fitting::join() {
  if (core_.sharded) {
    core_.sharded->take_assigned();
    core_.sharded->join();
  }
}

History Fitting::run() {
  prepare();
  call_callbacks();
  require_equal_facts(core_.talk, fit_op, "options of callbacks", facts_of_callbacks(),
                      "callbacks of ranks have other options; give them the same");
  for (;;) {
    if (moment_ == Moment::end) {
      join();
      if (core_.talk.size() > 1) {
        core_.talk.exchange("the end of fit", "");  // where callbacks of another rank have thrown, no rank has ended
      }
      history_.stopped = training_.stopped;
      return history_;
    }
    const Moment next = go_on();
    if (next == Moment::end) {
      before_end_ = moment_;
      take_down_interrupted();
      join();
    }
    moment_ = next;
    call_callbacks();
  }
}

void Fitting::call_callbacks() {
  static constexpr Callback::Function Callback::*functions[] = {&Callback::on_start,       &Callback::on_epoch_start,
                                                                &Callback::on_batch_start, &Callback::on_batch_end,
                                                                &Callback::on_epoch_end,   &Callback::on_end};
  const auto function = functions[static_cast<std::size_t>(moment_)];
  for (; callback_ < callbacks_.size(); ++callback_) {
    if (callbacks_[callback_].*function && is_called(callbacks_[callback_])) {
      (callbacks_[callback_].*function)(training_);
      core_.talk.go_on();
    }
  }
  if (moment_ == Moment::epoch_end) {
    history_.epochs.back() = training_.scores;  // with those that callbacks have put there
  }
  callback_ = 0;
}

// Where training goes on if it is resumed: before any callback has been told that it has ended.
void Fitting::take_down_interrupted() {
  if (training_.interrupted && callbacks_.size() > 1) {
    callback_ = callbacks_.size();
    interrupted_ = snapshot();
    callback_ = 0;
  }
}

// What comes after this moment. \return the next one.
Fitting::Moment Fitting::go_on() {
  switch (moment_) {
    case Moment::start:
    case Moment::epoch_end: return next_epoch();
    case Moment::epoch_start:
    case Moment::batch_end: return next_batch();
    case Moment::batch_start: run_step(); return Moment::batch_end;
    case Moment::end: break;
  }
  return Moment::end;
}

Fitting::Moment Fitting::next_epoch() {
  if (!goes_on(true) || training_.epoch >= training_.epochs) {
    return Moment::end;
  }
  ++training_.epoch;
  training_.batch = 0;
  epoch_start_ = Clock::now();
  earlier_seconds_ = loss_sum_ = samples_ = 0;
  forget_scores();
  core_.begin_epoch();
  epoch_.emplace(batches_.epoch(core_.epochs++));
  return Moment::epoch_start;
}

Fitting::Moment Fitting::next_batch() {
  if (!goes_on(asks_each_batch_ || moment_ == Moment::epoch_start)) {
    return Moment::end;
  }
  if (training_.batch == training_.batches) {
    finish_epoch();
    return Moment::epoch_end;
  }
  ++training_.batch;
  return Moment::batch_start;
}

bool Fitting::is_called(const Callback& callback) const { return !callback.root_only || core_.talk.is_root(); }

// What is to become of training, in the eyes of this rank.
StopRequest Fitting::wish() const {
  if (interrupt_.requested() && training_.stopped.empty()) {
    return {phrase("interrupted in epoch {}, batch {}", training_.epoch, training_.batch), true};
  }
  return {training_.stopped, training_.interrupted};
}

void Fitting::take(const StopRequest& stop) {
  training_.stopped = stop.reason;
  training_.interrupted = stop.interrupted;
}

// The same on all ranks: by what they have said in the last step, or are asked now.
bool Fitting::goes_on(bool asks) {
  if (core_.talk.size() == 1) {
    take(wish());
  } else if (asks) {
    take(first_wish(core_.talk, wish()));
  }
  return training_.stopped.empty();
}

// Gives every score its name and place.
void Fitting::forget_scores() {
  const auto forget = [&](const std::string& prefix) {
    training_.scores.set(prefix + "loss", not_known);
    for (const Metric& metric : core_.options.metrics) {
      training_.scores.set(prefix + metric.name(), not_known);
    }
  };
  forget("");
  if (data_.validation) {
    forget("validation_");
  }
  training_.scores.set("learning_rate", not_known);
  training_.scores.set("seconds", not_known);
}

void Fitting::run_step() {
  StepResult result;
  try {
    const bool is_due = training_.batch == training_.batches || training_.batch % core_.options.accumulate == 0;
    result = core_.step(*epoch_, training_.batch - 1, {.updates = is_due, .stop = wish()});
  } catch (const NotFiniteError& error) {
    if (!core_.sharded || error.is_explained()) {
      raise_not_finite(error);
    }
    if (!core_.sharded->fails_here()) {
      core_.talk.exchange("a loss that is not finite", "");  // throws what the rank says that has it
    }
    raise_not_finite(core_.sharded->explained(error));
  } catch (const RankError&) {
    throw;  // it says where, as the other rank does
  } catch (Error& error) {
    error.add_note(phrase("in epoch {}, batch {} of {}", training_.epoch, training_.batch, training_.batches));
    throw;
  }
  ++training_.step;
  if (core_.talk.size() > 1) {
    take(result.stop);
  }
  training_.batch_loss = result.loss;
  const auto size = static_cast<double>(result.samples);
  loss_sum_ += training_.batch_loss * size;
  samples_ += size;
  training_.scores.set("loss", loss_sum_ / samples_);
  if (!core_.sharded || asks_each_batch_) {
    core_.read_metrics("", training_.scores);
  }
}

// Which sample of the data that fit was given one of those trained on is.
std::int64_t Fitting::sample_of_given(std::int64_t sample) const {
  if (options_.validation_fraction == 0) {
    return sample;
  }
  const std::int64_t count = data_.given.size();
  const Tensor numbers = arange(static_cast<double>(count), DType::int64);
  const auto [train, validation] =
      datasets::split(Dataset(numbers.array(), numbers.array()),
                      {.fraction = options_.validation_fraction, .seed = core_.options.batches.seed});
  return train.targets().data<std::int64_t>()[sample];
}

// The error of the step, for fit: in which batch, and which sample of the data, where it was one.
void Fitting::raise_not_finite(const NotFiniteError& error) const {
  const std::string message = error.what();
  NotFiniteError result(
      phrase("[{}] a number is not finite in epoch {}, batch {} of {}, and no variable was changed by this "
             "step; lower the learning rate, clip gradients, or look at the features: {}",
             fit_op, training_.epoch, training_.batch, training_.batches, message.substr(0, message.find('\n'))));
  result.locate(where_);
  std::vector<std::string> story = error.story();
  if (error.row()) {
    const std::int64_t first = core_.sharded ? core_.sharded->first_row() : 0;
    const std::int64_t position = (training_.batch - 1) * core_.options.batches.batch_size + first + *error.row();
    const std::int64_t sample = sample_of_given(epoch_->order().data<std::int64_t>()[position]);
    const auto& changes = core_.options.batches.augment;
    const bool is_itself =
        std::all_of(changes.begin(), changes.end(), [](const auto& each) { return each.of_images(); });
    story.push_back(
        is_itself
            ? phrase("that row is sample {} of the data", sample)
            : phrase("that row is made of sample {} of the data, and augmentation may have added others", sample));
  }
  result.explain(story, error.row());
  throw ValueError(result);
}

void Fitting::finish_epoch() {
  if (core_.sharded) {
    core_.read_metrics("", training_.scores);
  }
  if (data_.validation) {
    using Shown = runtime::ProgressLine::Shown;
    runtime::ProgressLine line(phrase("epoch {:{}}/{}, validation", training_.epoch,
                                      std::to_string(training_.epochs).size(), training_.epochs),
                               shows_bar(options_.progress) && core_.talk.is_root() ? Shown::always : Shown::never);
    core_.evaluate(*data_.validation, "validation_", training_.scores, line);
  }
  training_.scores.set("learning_rate", core_.optimizer->learning_rate().item());
  if (core_.sharded) {
    require_equal_variables(core_);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - epoch_start_).count();
  training_.scores.set("seconds", as_on_root(core_.talk, earlier_seconds_ + seconds));
  history_.epochs.push_back(training_.scores);
}

}  // namespace xgrad::nn::detail
