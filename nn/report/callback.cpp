#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "autograd/graph/operation.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/progress_line.hpp"
#include "nn/fit_access.hpp"
#include "nn/monitored.hpp"
#include "nn/report/describe_fit.hpp"
#include "nn/report/report.hpp"

namespace xgrad::nn::callbacks {

namespace {

// The first line says what is wrong; the others where.
std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

// What the callback knows of a fit, and how it comes to know it.
class Reporter {
 public:
  Reporter(std::filesystem::path path, ReportOptions options) : path_(std::move(path)), options_(std::move(options)) {}

  void start(const TrainingState& training) {
    run_ = RunRecord();
    begun_ = false;
    step_is_known_ = false;
    begin(training);
    write_report(path_, run_);
    is_there_ = true;
  }
  void before_batch(const TrainingState& training) {
    begin(training);
    if (training.batch == training.batches) {
      probe_->before_step();
    }
  }
  void end_epoch(const TrainingState& training) {
    begin(training);
    add_scores(training);
    try_to([&] { probe_->after_epoch(run_); });
    classify_data(training);
    look_at_step(training);
    publish();
  }
  void end(const TrainingState& training) {
    begin(training);
    run_.running = false;
    run_.stopped = training.stopped;
    classify_data(training);  // the weights may be those of the best epoch
    publish();
  }
  void fail(const std::exception& error) {
    if (is_there_) {  // else there is nothing to tell yet
      run_.running = false;
      run_.stopped = error.what();
      publish();
    }
  }

  void save(Saved& saved) const { saved.put("record", run_.json()); }
  void load(const Saved& saved) {
    run_ = RunRecord::from_json(saved.text("record"));
    begun_ = false;
    is_there_ = true;
    step_is_known_ = !run_.step.kernels.empty();
  }

 private:
  // What can only be known when training goes on; once for each fit, also for one that is resumed.
  void begin(const TrainingState& training) {
    if (begun_ && access_ == training.access) {
      return;
    }
    RunRecord head = detail::describe_fit(training);
    head.title = options_.title.empty() ? path_.stem().string() : options_.title;
    head.monitor = options_.monitor;
    head.maximize = options_.maximize;
    head.options.insert(head.options.begin(), options_.options.begin(), options_.options.end());
    head.running = true;
    head.epochs = std::move(run_.epochs);
    head.weights = std::move(run_.weights);
    head.units = std::move(run_.units);
    head.step = std::move(run_.step);
    run_ = std::move(head);
    begun_ = true;
    access_ = training.access;
    Tensor samples;
    if (access_ != nullptr) {
      batch_ = first_batch(*access_);
      samples = first_samples(batch_->features);
      describe_layers(training.model);
    }
    probe_.emplace(training.model, samples);
  }

  static datasets::Batch first_batch(const detail::FitAccess& access) {
    datasets::BatchOptions plain = access.core.options.batches;
    plain.shuffle = false;
    return datasets::Batches(access.train, plain).epoch(0)[0];
  }

  // Of the validation data, if there are any: the model has not seen them.
  Tensor first_samples(const Array& batch) const {
    if (options_.probe_samples <= 0) {
      return {};
    }
    const datasets::Dataset& data = access_->validation != nullptr ? *access_->validation : access_->train;
    datasets::BatchOptions plain = access_->core.options.batches;
    plain.batch_size = options_.probe_samples;
    plain.shuffle = plain.drop_last = false;
    plain.augment.clear();
    const Array samples = datasets::Batches(data, plain).epoch(0)[0].features;
    // Augmentation may have made features of other kinds.
    const auto shape_of_one = [](const Array& array) { return Shape(array.shape().begin() + 1, array.shape().end()); };
    const bool is_alike = samples.dtype() == batch.dtype() && shape_of_one(samples) == shape_of_one(batch);
    return is_alike ? Tensor(samples) : Tensor(batch);
  }

  // What is looked at beside the scores is no reason to end training: where it cannot be known, it is left out.
  template <class Look>
  static void try_to(const Look& look) {
    try {
      look();
    } catch (const Error&) {
    }
  }

  void describe_layers(const Module& model) {
    try_to([&] { run_.network = describe_network(model, batch_->features.shape(), batch_->features.dtype()); });
  }

  void add_scores(const TrainingState& training) {
    if (access_ != nullptr) {
      run_.epochs = access_->history.epochs;
    }
    // What callbacks in front of this one have put there is in the state alone.
    run_.epochs.resize(static_cast<std::size_t>(training.epoch));
    run_.epochs.back() = training.scores;
  }

  void classify_data(const TrainingState&) {
    const datasets::Dataset* data = options_.data        ? &*options_.data
                                    : access_ != nullptr ? access_->validation
                                                         : nullptr;
    if (access_ == nullptr || data == nullptr || data->targets().shape().ndim() != 1 ||
        is_real(data->targets().dtype())) {
      return;
    }
    run_.classification = {};
    try_to([&] {
      runtime::ProgressLine line("classifying for the report", runtime::ProgressLine::Shown::never);
      const Tensor scores = access_->core.predictions(*data, line);
      if (scores.ndim() == 2 && scores.shape()[1] > 1 && is_real(scores.dtype())) {
        run_.classification = classify(
            scores, *data, {.data = options_.data ? "given" : "validation", .class_names = options_.class_names});
      }
    });
  }

  void look_at_step(const TrainingState& training) {
    // Where batches have several parts, or ranks, a step is not one plan.
    if (step_is_known_ || !options_.measure_step || access_ == nullptr || access_->core.sharded) {
      return;
    }
    step_is_known_ = true;
    // What prints, or does something else to the world, would do it again for each run.
    if (!access_->core.train_step.trace(batch_->features, batch_->targets).effects.empty()) {
      return;
    }
    try_to([&] {
      const Plan plan = access_->core.train_step.plan(batch_->features, batch_->targets);
      run_.step = measure_step(plan, {batch_->features, batch_->targets}, training.model);
    });
  }

  void publish() const {
    try {
      write_report(path_, run_);
    } catch (const FileError& error) {
      std::fprintf(stderr, "xgrad: the report is not written: %s\n", first_line(error.what()).c_str());
    }
  }

  std::filesystem::path path_;
  ReportOptions options_;
  RunRecord run_;
  bool begun_ = false;
  bool is_there_ = false;  // the page
  bool step_is_known_ = false;
  const detail::FitAccess* access_ = nullptr;
  std::optional<datasets::Batch> batch_;
  std::optional<LayerProbe> probe_;
};

}  // namespace

Callback report(const std::filesystem::path& path, const ReportOptions& options, std::source_location where) {
  const auto reporter = std::make_shared<Reporter>(path, options);
  return {.on_start = [=](TrainingState& training) { located(where, [&] { reporter->start(training); }); },
          .on_batch_start = [=](TrainingState& training) { reporter->before_batch(training); },
          .on_epoch_end =
              [=](TrainingState& training) {
                if (!options.monitor.empty()) {
                  require_score("report", training, options.monitor, where);
                }
                reporter->end_epoch(training);
              },
          .on_end = [=](TrainingState& training) { reporter->end(training); },
          .name = "report",
          .save = [=](Saved& saved) { reporter->save(saved); },
          .load = [=](const Saved& saved) { reporter->load(saved); },
          .on_error = [=](TrainingState&, const std::exception& error) { reporter->fail(error); },
          .root_only = true,
          .silent = true};
}

}  // namespace xgrad::nn::callbacks
