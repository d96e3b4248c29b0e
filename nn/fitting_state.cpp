#include <cmath>
#include <cstdio>
#include <typeinfo>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/differences.hpp"
#include "nn/fitting.hpp"

/// \file
/// Where training stands, put into a Saved and taken out of it.

namespace xgrad::nn::detail {

namespace {

constexpr std::string_view op = "fit";

void put_dataset(Saved& saved, const std::string& name, const datasets::Dataset& data) {
  const auto kind = [](const Array& array) {
    return phrase("{}{}", to_string(array.dtype()), to_string(array.shape()));
  };
  saved.put(name + "/features", kind(data.features()));
  saved.put(name + "/targets", kind(data.targets()));
  saved.put(name + "/hash", phrase("{:016x}", data.content_hash()));
}

// Scores of several epochs: their names in order, and a row of numbers each.
Saved saved_scores(const std::vector<Scores>& all) {
  Scores names;
  for (const Scores& scores : all) {
    for (const auto& [name, value] : scores) {
      names.set(name, 0);
    }
  }
  Saved saved;
  std::int64_t count = 0;
  for (const auto& [name, unused] : names) {
    saved.put(phrase("names/{}", count++), name);
  }
  Array values({static_cast<std::int64_t>(all.size()), count}, DType::float64);
  Array present(values.shape(), DType::boolean);
  double* value = values.data<double>();
  bool* is_present = present.data<bool>();
  for (const Scores& scores : all) {
    for (const auto& [name, unused] : names) {
      *is_present = scores.contains(name);
      *value++ = *is_present++ ? scores[name] : 0;
    }
  }
  saved.put("values", values);
  saved.put("present", present);
  return saved;
}

std::vector<Scores> loaded_scores(const Saved& saved) {
  const Array& values = saved.array("values");
  const Array& present = saved.array("present");
  std::vector<std::string> names;
  while (saved.contains(phrase("names/{}", names.size()))) {
    names.push_back(saved.text(phrase("names/{}", names.size())));
  }
  const auto columns = static_cast<std::int64_t>(names.size());
  if (values.shape().ndim() != 2 || values.shape()[1] != columns || present.shape() != values.shape()) {
    raise<ValueError>(op, "the checkpoint's scores do not belong to their names; take an earlier checkpoint");
  }
  std::vector<Scores> all(static_cast<std::size_t>(values.shape()[0]));
  const double* value = values.data<double>();
  const bool* is_present = present.data<bool>();
  for (Scores& scores : all) {
    for (const std::string& name : names) {
      if (*is_present++) {
        scores.set(name, *value);
      }
      ++value;
    }
  }
  return all;
}

}  // namespace

Saved Fitting::snapshot() {
  Saved saved = core_.saved();
  put_identity(saved);
  saved.put("fit/epochs", training_.epochs);
  saved.put("fit/moment", static_cast<std::int64_t>(moment_));
  saved.put("fit/before_end", static_cast<std::int64_t>(before_end_));
  saved.put("fit/callback", callback_);
  saved.put("fit/epoch", training_.epoch);
  saved.put("fit/batch", training_.batch);
  saved.put("fit/step", training_.step);
  saved.put("fit/batch_loss", training_.batch_loss);
  saved.put("fit/loss_sum", loss_sum_);
  saved.put("fit/samples", samples_);
  saved.put("fit/stopped", training_.stopped);
  saved.put("fit/interrupted", training_.interrupted);
  saved.put("fit/seconds", earlier_seconds_ + std::chrono::duration<double>(Clock::now() - epoch_start_).count());
  saved.put("fit/scores", saved_scores({training_.scores}));
  saved.put("fit/history", saved_scores(history_.epochs));
  for (std::size_t i = 0; i < callback_names_.size(); ++i) {
    if (callbacks_[i].save) {
      Saved own;
      callbacks_[i].save(own);
      saved.put("callback/" + callback_names_[i], own);
    }
  }
  return saved;
}

// What a checkpoint can only be resumed with; made once, as the data are read for it.
void Fitting::put_identity(Saved& saved) {
  if (!identity_) {
    identity_.emplace();
    Saved& run = *identity_;
    put_dataset(run, "data", data_.given);
    if (options_.validation) {
      put_dataset(run, "validation", *options_.validation);
    }
    run.put("validation_fraction", options_.validation_fraction);
    for (std::size_t i = 0; i < callback_names_.size(); ++i) {
      run.put(phrase("callback {}", i + 1), callback_names_[i]);
    }
    run.put("training step", phrase("{:016x}", core_.step_hash(batches_.epoch(0)[0])));
  }
  saved.put("run", *identity_);
}

void Fitting::restore(const Saved& saved) {
  require_same(saved);
  const bool is_within_fit = saved.contains("fit");
  restore_callbacks(saved, is_within_fit);
  core_.load_metrics(saved);
  if (is_within_fit) {
    restore_position(saved);
  }
  core_.load(saved);
  if (is_within_fit && training_.epoch > 0) {
    epoch_.emplace(batches_.epoch(core_.epochs - 1));
  }
}

void Fitting::require_same(const Saved& saved) {
  Differences found;
  core_.add_differences(op, saved, found);
  add_differences("options", core_.saved_options(), saved.part("options"), found);
  if (saved.contains("run")) {
    Saved here;
    put_identity(here);
    add_differences("", here.part("run"), saved.part("run"), found);
  }
  for (std::size_t i = 0; i < callback_names_.size(); ++i) {
    const std::string name = "callback/" + callback_names_[i];
    if (callbacks_[i].save && saved.contains(name)) {
      Saved own;
      callbacks_[i].save(own);
      add_differences(name, own.part("options"), saved.part(name + "/options"), found);
    }
  }
  require_none(op, found);
}

void Fitting::restore_callbacks(const Saved& saved, bool is_within_fit) {
  if (!is_within_fit) {
    return;  // of which they have seen nothing
  }
  // Those behind the one that made the checkpoint have not been told yet that training starts.
  const bool is_start = saved.integer("fit/moment") == static_cast<std::int64_t>(Moment::start);
  const auto told = static_cast<std::size_t>(saved.integer("fit/callback"));
  std::string forgetful;
  for (std::size_t i = 0; i < callbacks_.size(); ++i) {
    if (is_start && i > told) {
      break;
    }
    const bool shows_progress = i == callback_names_.size();
    if (callbacks_[i].load) {
      callbacks_[i].load(saved.part("callback/" + callback_names_[i]));
    } else {
      if (callbacks_[i].on_start) {
        callbacks_[i].on_start(training_);
      }
      forgetful += shows_progress ? "" : (forgetful.empty() ? "" : ", ") + phrase("'{}'", callback_names_[i]);
    }
  }
  if (!forgetful.empty()) {
    std::fprintf(stderr, "xgrad: callbacks without save and load begin anew: %s\n", forgetful.c_str());
  }
  const bool is_within_epoch = saved.integer("fit/batch") > 0;
  for (const Metric& metric : core_.options.metrics) {
    if (is_within_epoch && !metric.keeps_itself()) {
      std::fprintf(stderr, "xgrad: a metric without save and load forgets the batches of this epoch: '%s'\n",
                   metric.name().c_str());
    }
  }
}

void Fitting::restore_position(const Saved& saved) {
  const std::int64_t last = static_cast<std::int64_t>(Moment::end);
  const std::int64_t moment = saved.integer("fit/moment");
  const std::int64_t before_end = saved.integer("fit/before_end");
  const std::int64_t batch = saved.integer("fit/batch");
  if (moment < 0 || moment > last || before_end < 0 || before_end > last || batch < 0 || batch > training_.batches) {
    raise<ValueError>(op, "the checkpoint names no moment of this training; take an earlier checkpoint");
  }
  moment_ = static_cast<Moment>(moment);
  before_end_ = static_cast<Moment>(before_end);
  callback_ = static_cast<std::size_t>(saved.integer("fit/callback")) + 1;
  training_.epoch = saved.integer("fit/epoch");
  training_.batch = batch;
  training_.step = saved.integer("fit/step");
  training_.batch_loss = saved.number("fit/batch_loss");
  training_.stopped = saved.text("fit/stopped");
  training_.interrupted = saved.integer("fit/interrupted") != 0;
  loss_sum_ = saved.number("fit/loss_sum");
  samples_ = saved.number("fit/samples");
  earlier_seconds_ = saved.number("fit/seconds");
  epoch_start_ = Clock::now();
  const std::vector<Scores> scores = loaded_scores(saved.part("fit/scores"));
  training_.scores = scores.empty() ? training_.scores : scores.front();
  history_.epochs = loaded_scores(saved.part("fit/history"));
  go_on_where_interrupted();
}

// Ctrl-C, or the number of epochs, ended training then; now it goes on.
void Fitting::go_on_where_interrupted() {
  if (training_.interrupted) {
    training_.interrupted = false;
    training_.stopped.clear();
  }
  if (moment_ == Moment::end && training_.stopped.empty()) {
    moment_ = before_end_;
    callback_ = callbacks_.size();
  }
}

}  // namespace xgrad::nn::detail
