#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

#include "autograd/graph/operation.hpp"
#include "autograd/kernels/elementary.hpp"
#include "autograd/ops/require_finite.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/progress.hpp"
#include "nn/rank_agreement.hpp"
#include "nn/restored.hpp"
#include "nn/trainer_core.hpp"

namespace xgrad::nn {

namespace {

constexpr std::string_view find_learning_rate_op = "find_learning_rate";
constexpr std::int64_t least_steps = 20;

/// Has ranks share out what the optimiser remembers, for steps that are taken back.
class Shared {
 public:
  explicit Shared(detail::TrainerCore& core) : core_(core) {
    if (core_.sharded) {
      core_.sharded->divide();
    }
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() {
    if (core_.sharded) {
      core_.sharded->forget();
    }
  }

 private:
  detail::TrainerCore& core_;
};

void check(const LearningRateOptions& options) {
  if (!(options.min > 0 && options.min < options.max && std::isfinite(options.max))) {
    raise<ValueError>(find_learning_rate_op,
                      phrase("rates from {} to {}; give 0 < min < max", options.min, options.max));
  }
  if (options.steps < least_steps) {
    raise<ValueError>(find_learning_rate_op, phrase("{} steps; give {} or more", options.steps, least_steps));
  }
}

// The rate in the middle of the steepest fall of the loss over the logarithm of the rate, which is equidistant. Batches
// differ, so falls are measured over a tenth of the steps, and not where the mean has hardly begun.
double steepest(const LearningRates& seen, std::int64_t steps) {
  const auto half = static_cast<std::size_t>(steps / 20 + 1);
  double least = 0;
  double rate = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 2 * half; i + half < seen.losses.size(); ++i) {
    const double slope = seen.losses[i + half] - seen.losses[i - half];
    if (slope < least) {
      least = slope;
      rate = seen.rates[i];
    }
  }
  return rate;
}

// What ranks have to have in common.
detail::Facts facts_of_test(const detail::TrainerCore& core, const datasets::Dataset& data,
                            const LearningRateOptions& options) {
  detail::Facts facts;
  if (core.talk.size() > 1) {
    facts["min"] = phrase("{}", options.min);
    facts["max"] = phrase("{}", options.max);
    facts["steps"] = phrase("{}", options.steps);
    detail::add_dataset(facts, "data", data);
  }
  return facts;
}

LearningRates try_rates(detail::TrainerCore& core, const datasets::Dataset& data, const LearningRateOptions& options,
                        runtime::ProgressLine& line) {
  constexpr double decay = 0.9;  // of the smoothed loss
  const datasets::Batches batches(data, core.options.batches);
  LearningRates seen;
  if (batches.count() == 0) {
    return seen;
  }
  core.prepare(batches);
  if (core.sharded) {
    if (core.snapshot) {  // a callback of fit has called this, and others may have assigned something
      core.sharded->take_assigned();
    }
    core.sharded->join();
    detail::agree_at_start(find_learning_rate_op, core, facts_of_test(core, data, options));
  }
  const Optimizer& optimizer = *core.optimizer;
  const detail::Restored restored({core.model.variables(),
                                   optimizer.parameters(),
                                   optimizer.variables(),
                                   {core.steps},
                                   core.gradients ? core.gradients->sums() : Variables(),
                                   core.gradients ? Variables{core.gradients->count()} : Variables()});
  const Shared shared(core);
  if (core.gradients) {
    core.gradients->reset();
  }
  double mean = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t step = 0; step < options.steps; ++step) {
    const double rate =
        options.min * kernels::elementary(kernels::Opcode::pow, options.max / options.min,
                                          static_cast<double>(step) / static_cast<double>(options.steps - 1));
    for (std::size_t group = 0; group < optimizer.group_count(); ++group) {
      optimizer.learning_rate(group).assign(rate);
    }
    const datasets::Epoch epoch = batches.epoch(step / batches.count());
    const bool updates = (step + 1) % core.options.accumulate == 0;
    double loss = 0;
    try {
      loss = core.step(epoch, step % batches.count(), {.updates = updates, .counts = false}).loss;
    } catch (const NotFiniteError&) {  // on all ranks
      break;
    }
    mean = decay * mean + (1 - decay) * loss;
    const double bias = 1 - kernels::elementary(kernels::Opcode::pow, decay, static_cast<double>(step + 1));
    const double smoothed = mean / bias;
    seen.rates.push_back(rate);
    seen.losses.push_back(smoothed);
    line.update(step + 1, options.steps);
    least = std::min(least, smoothed);
    if (smoothed > 4 * std::abs(least) && smoothed > least) {
      break;
    }
  }
  return seen;
}

// The same, behind which a fit whose callback has called this goes on in parts, where it was in parts.
LearningRates try_rates_inside(detail::TrainerCore& core, const datasets::Dataset& data,
                               const LearningRateOptions& options, runtime::ProgressLine& line) {
  const bool was_in_parts = core.is_in_parts();
  const auto go_on = [&] {
    if (was_in_parts) {
      core.sharded->divide_again();
    }
  };
  LearningRates seen;
  try {
    seen = try_rates(core, data, options, line);
  } catch (...) {
    go_on();
    throw;
  }
  go_on();
  return seen;
}

void print(const LearningRates& seen) {
  const std::string text =
      std::isnan(seen.suggestion)
          ? std::string("no learning rate to suggest: the loss does not fall\n")
          : phrase("suggested learning rate: {:.2g}, where the loss falls fastest\n", seen.suggestion);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace

LearningRates Trainer::find_learning_rate(const datasets::Dataset& data, const LearningRateOptions& options,
                                          std::source_location where) {
  return located(where, [&] {
    return core_->talk.together_to_the_end(find_learning_rate_op, [&] {
      check(options);
      require_samples(find_learning_rate_op, data, "the data");
      std::optional<runtime::ProgressLine> line(
          std::in_place, "finding a learning rate",
          core_->talk.is_root() ? shown_by(options.progress) : runtime::ProgressLine::Shown::never);
      LearningRates seen = try_rates_inside(*core_, data, options, *line);
      line.reset();
      seen.suggestion = steepest(seen, options.steps);
      if (options.print && core_->talk.is_root()) {
        print(seen);
      }
      return seen;
    });
  });
}

}  // namespace xgrad::nn
