#include <algorithm>
#include <cmath>
#include <cstdio>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "datasets/quoted.hpp"
#include "nn/differences.hpp"
#include "nn/fitting.hpp"
#include "nn/rank_agreement.hpp"
#include "nn/report/describe_fit.hpp"
#include "nn/saved_scores.hpp"

/// \file
/// Where training stands, put into a Saved and taken out of it.

namespace xgrad::nn::detail {

namespace {

constexpr std::string_view fit_state_op = "fit";

void put_dataset(Saved& saved, const std::string& name, const datasets::Dataset& data) {
  const auto kind = [](const Array& array) {
    return phrase("{}{}", to_string(array.dtype()), to_string(array.shape()));
  };
  saved.put(name + "/features", kind(data.features()));
  saved.put(name + "/targets", kind(data.targets()));
  saved.put(name + "/hash", phrase("{:016x}", data.content_hash()));
}

// What has to be the same where training is resumed, of what callbacks put.
Saved options_of(const Saved& callbacks) {
  Saved options;
  const auto take = [&](const auto& values) {
    for (const auto& [name, value] : values) {
      if (name.find("/options/") != std::string::npos) {
        options.put(name, value);
      }
    }
  };
  take(callbacks.integers());
  take(callbacks.numbers());
  take(callbacks.texts());
  return options;
}

// Which functions a callback has, and how it is called.
std::string functions_of(const Callback& callback) {
  std::string text;
  const auto add = [&](bool is_so, std::string_view what) {
    if (is_so) {
      text += (text.empty() ? "" : ", ") + std::string(what);
    }
  };
  add(callback.on_start != nullptr, "on_start");
  add(callback.on_epoch_start != nullptr, "on_epoch_start");
  add(callback.on_batch_start != nullptr, "on_batch_start");
  add(callback.on_batch_end != nullptr, "on_batch_end");
  add(callback.on_epoch_end != nullptr, "on_epoch_end");
  add(callback.on_end != nullptr, "on_end");
  add(callback.root_only, "root_only");
  add(callback.silent, "silent");
  return text.empty() ? "nothing" : text;
}

void warn(const std::string& text) { std::fprintf(stderr, "xgrad: %s\n", text.c_str()); }

}  // namespace

Saved Fitting::snapshot() {
  if (moment_ == Moment::end && interrupted_) {
    return *interrupted_;
  }
  Saved run;
  put_identity(run);  // first: it looks at what there is to be saved
  Saved saved = core_.saved();
  saved.put("run", run);
  saved.put("record", head_json(describe_fit(training_)));
  saved.put("fit/epochs", training_.epochs);
  saved.put("fit/moment", static_cast<std::int64_t>(moment_));
  saved.put("fit/before_end", static_cast<std::int64_t>(before_end_));
  saved.put("fit/callback", callback_ < callback_names_.size() ? callback_names_[callback_] : std::string());
  saved.put("fit/first_step", first_step_);
  saved.put("fit/epoch", training_.epoch);
  saved.put("fit/batch", training_.batch);
  saved.put("fit/step", training_.step);
  saved.put("fit/batch_loss", training_.batch_loss);
  saved.put("fit/loss_sum", loss_sum_);
  saved.put("fit/samples", samples_);
  saved.put("fit/stopped", training_.interrupted ? std::string() : training_.stopped);
  saved.put("fit/seconds", earlier_seconds_ + std::chrono::duration<double>(Clock::now() - epoch_start_).count());
  saved.put("fit/scores", saved_scores({training_.scores}));
  saved.put("fit/history", saved_scores(history_.epochs));
  saved.put("callback", saved_callbacks());
  return saved;
}

Saved Fitting::saved_callbacks() const {
  Saved all;
  for (std::size_t i = 0; i < callback_names_.size(); ++i) {
    if (callbacks_[i].save && is_called(callbacks_[i])) {
      Saved own;
      callbacks_[i].save(own);
      if (!own.contains("kept")) {
        own.put("kept", true);  // so that there is something, also where there is nothing to say
      }
      all.put(callback_names_[i], own);
    }
  }
  return all;
}

// What ranks have to have in common, before anything is computed.
Facts Fitting::facts() const {
  Facts facts;
  facts["epochs"] = phrase("{}", options_.epochs);
  facts["validation_fraction"] = phrase("{}", options_.validation_fraction);
  facts["resume"] = options_.resume ? "a checkpoint" : "none";
  add_dataset(facts, "data", data_.given);
  if (options_.validation) {
    add_dataset(facts, "validation", *options_.validation);
  }
  for (std::size_t i = 0; i < callback_names_.size(); ++i) {
    facts[phrase("callback {}", i)] = callback_names_[i];
    facts[phrase("what callback {} has", i)] = functions_of(callbacks_[i]);
  }
  return facts;
}

// The options of those that are called on all ranks. They know them when they have been told that training starts.
Facts Fitting::facts_of_callbacks() const {
  Facts facts;
  for (std::size_t i = 0; core_.talk.size() > 1 && i < callback_names_.size(); ++i) {
    if (!callbacks_[i].save || callbacks_[i].root_only) {
      continue;
    }
    Saved own;
    callbacks_[i].save(own);
    const auto add = [&](const auto& values) {
      for (const auto& [name, value] : values) {
        if (name.starts_with("options/")) {
          facts[phrase("{} of callback '{}'", name.substr(8), callback_names_[i])] = phrase("{}", value);
        }
      }
    };
    add(own.integers());
    add(own.numbers());
    add(own.texts());
  }
  return facts;
}

// What a checkpoint can only be resumed with; made once, as the data are read for it.
void Fitting::put_identity(Saved& run) {
  if (!identity_) {
    Saved made;
    put_dataset(made, "data", data_.given);
    if (options_.validation) {
      put_dataset(made, "validation", *options_.validation);
    }
    made.put("validation_fraction", options_.validation_fraction);
    made.put("training step", phrase("{:016x}", core_.look_at_step(batches_.epoch(0)[0])));
    identity_ = made;
  }
  run = *identity_;
}

void Fitting::restore(const Saved& saved) {
  require_same(saved);
  if (saved.contains("fit")) {
    restore_position(saved);
    restore_callbacks(saved);
  }
  core_.load_metrics(saved);
  core_.load(saved, TrainerCore::Part::all);
  if (training_.epoch > 0) {
    epoch_.emplace(batches_.epoch(core_.epochs - 1));
  }
}

void Fitting::require_same(const Saved& saved) {
  Differences found;
  Saved run;
  put_identity(run);
  core_.add_differences(fit_state_op, saved, TrainerCore::Part::all, found);
  add_differences("options", core_.saved_options(), saved.part("options"), found);
  if (saved.contains("fit")) {
    add_differences("", run, saved.part("run"), found);
    if (core_.talk.is_root()) {  // which has all of them, and says what differs
      add_differences("callback", options_of(saved_callbacks()), options_of(saved.part("callback")), found);
    }
    if (saved.integer("fit/epoch") > training_.epochs) {
      found.push_back(phrase("there are to be {} epochs, the checkpoint is of epoch {}", training_.epochs,
                             saved.integer("fit/epoch")));
    }
  }
  require_none(fit_state_op, found);
  if (core_.talk.size() > 1) {
    core_.talk.exchange("that the checkpoint fits", "");  // before anything is loaded
  }
}

// Behind which one training goes on; behind all of them where it is not there any more.
std::size_t Fitting::callback_of(const Saved& saved) const {
  const auto at = std::find(callback_names_.begin(), callback_names_.end(), saved.text("fit/callback"));
  return static_cast<std::size_t>(at - callback_names_.begin());
}

void Fitting::restore_callbacks(const Saved& saved) {
  // Those behind the one that made the checkpoint have not been told yet that training starts.
  const std::size_t told = moment_ == Moment::start ? std::min(callback_, callbacks_.size()) : callbacks_.size();
  std::vector<std::string> forgetful;
  for (std::size_t i = 0; i < told; ++i) {
    const bool shows_progress = i == callback_names_.size();
    if (!is_called(callbacks_[i])) {
      continue;
    }
    const std::string name = shows_progress ? "" : "callback/" + callback_names_[i];
    if (callbacks_[i].load && saved.contains(name)) {
      callbacks_[i].load(saved.part(name));
      if (callbacks_[i].on_resume) {
        callbacks_[i].on_resume(training_);
      }
      continue;
    }
    if (callbacks_[i].on_start) {
      callbacks_[i].on_start(training_);
    }
    if (!shows_progress) {
      forgetful.push_back(callback_names_[i]);
    }
  }
  if (!forgetful.empty() && core_.talk.is_root()) {
    warn("callbacks of which the checkpoint knows nothing begin anew: " + datasets::listed(forgetful));
  }
  for (const Metric& metric : core_.options.metrics) {
    if (training_.batch > 0 && !metric.keeps_itself() && core_.talk.is_root()) {
      warn(phrase("a metric without save and load forgets the batches of this epoch: '{}'", metric.name()));
    }
  }
}

void Fitting::restore_position(const Saved& saved) {
  const auto last = static_cast<std::int64_t>(Moment::end);
  const std::int64_t moment = saved.integer("fit/moment");
  const std::int64_t before_end = saved.integer("fit/before_end");
  const std::int64_t batch = saved.integer("fit/batch");
  if (moment < 0 || moment > last || before_end < 0 || before_end > last || batch < 0 || batch > training_.batches) {
    raise<ValueError>(fit_state_op, "the checkpoint names no moment of this training; take an earlier checkpoint");
  }
  moment_ = static_cast<Moment>(moment);
  before_end_ = static_cast<Moment>(before_end);
  callback_ = callback_of(saved) + 1;
  const std::int64_t first_step = saved.integer("fit/first_step");
  if (first_step_ != 0 && first_step_ != first_step && core_.talk.is_root()) {
    warn(phrase(
        "the checkpoint is of a fit that began after {} steps of the Trainer, where this one begins after {}: its "
        "weights replace those that there are",
        first_step, first_step_));
  }
  first_step_ = first_step;
  training_.epoch = saved.integer("fit/epoch");
  training_.batch = batch;
  training_.step = saved.integer("fit/step");
  training_.batch_loss = saved.number("fit/batch_loss");
  training_.stopped = saved.text("fit/stopped");
  loss_sum_ = saved.number("fit/loss_sum");
  samples_ = saved.number("fit/samples");
  earlier_seconds_ = saved.number("fit/seconds");
  epoch_start_ = Clock::now();
  const std::vector<Scores> scores = loaded_scores(saved.part("fit/scores"));
  training_.scores = scores.empty() ? training_.scores : scores.front();
  history_.epochs = loaded_scores(saved.part("fit/history"));
  if (moment_ == Moment::end && training_.stopped.empty() && training_.epoch < training_.epochs) {
    moment_ = before_end_;  // only the number of epochs ended it then, and now there are more
    callback_ = callbacks_.size();
  }
}

}  // namespace xgrad::nn::detail
