#include "nn/report/describe_fit.hpp"

#include <string>
#include <string_view>
#include <typeinfo>

#include "autograd/runtime/phrase.hpp"
#include "nn/fit_access.hpp"

namespace xgrad::nn::detail {

namespace {

// Options that are not what they are when nobody says anything.
class UnusualOptions {
 public:
  explicit UnusualOptions(RunRecord::Options& options) : options_(options) {}

  void add(const char* name, std::int64_t value, std::int64_t usual) {
    if (value != usual) {
      options_.emplace_back(name, std::to_string(value));
    }
  }
  void add(const char* name, bool value, bool usual) {
    if (value != usual) {
      options_.emplace_back(name, value ? "true" : "false");
    }
  }
  void add(const char* name, std::string_view value, std::string_view usual) {
    if (value != usual) {
      options_.emplace_back(name, value);
    }
  }

 private:
  RunRecord::Options& options_;
};

void add_batch_options(const datasets::BatchOptions& batches, UnusualOptions& options) {
  const datasets::BatchOptions usual;
  options.add("batch_size", batches.batch_size, usual.batch_size);
  options.add("shuffle", batches.shuffle, usual.shuffle);
  options.add("drop_last", batches.drop_last, usual.drop_last);
  options.add("flatten", batches.flatten, usual.flatten);
  options.add("dtype", to_string(batches.dtype), to_string(usual.dtype));
  std::string augment;
  for (const datasets::Augmentation& each : batches.augment) {
    augment += (augment.empty() ? "" : ", ") + std::string(each.name());
  }
  options.add("augment", augment, std::string());
}

}  // namespace

RunRecord describe_fit(const TrainingState& training) {
  RunRecord run = this_run();
  run.planned_epochs = training.epochs;
  if (training.access == nullptr) {
    return run;
  }
  const TrainerCore& core = training.access->core;
  const FitOptions& fit = training.access->options;
  run.samples = training.access->train.size();
  run.seed = std::to_string(core.options.batches.seed);
  const Optimizer& optimizer = *core.optimizer;
  run.options.emplace_back("optimizer", short_name(typeid(optimizer)));
  for (const auto& [name, value] : core.initial_numbers.numbers()) {
    run.options.emplace_back("optimizer." + name, phrase("{}", value));
  }
  UnusualOptions options(run.options);
  options.add("epochs", fit.epochs, FitOptions().epochs);
  add_batch_options(core.options.batches, options);
  options.add("accumulate", core.options.accumulate, TrainerOptions().accumulate);
  options.add("validation_fraction", phrase("{}", fit.validation_fraction), phrase("{}", 0.0));
  const Clipping& clipping = core.options.clipping;
  options.add("clipping.norm", clipping.norm ? phrase("{}", *clipping.norm) : std::string(), std::string());
  options.add("clipping.value", clipping.value ? phrase("{}", *clipping.value) : std::string(), std::string());
  return run;
}

}  // namespace xgrad::nn::detail
