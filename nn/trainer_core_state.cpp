#include <typeinfo>

#include "autograd/runtime/hash.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/differences.hpp"
#include "nn/trainer_core.hpp"

/// \file
/// What a Trainer has to remember beside where it is in a fit.

namespace xgrad::nn {

Saved detail::TrainerCore::saved() const {
  Saved saved;
  saved.put("model", model);
  saved.put("optimizer", *optimizer);
  saved.put("optimizer_kind", short_name(typeid(*optimizer)));
  if (gradients) {
    saved.put("gradients", *gradients);
  }
  for (const Metric& metric : options.metrics) {
    Saved own;
    metric.save(own);
    saved.put("metric/" + metric.name(), own);
  }
  saved.put("trainer/steps", steps.item<std::int64_t>());
  saved.put("trainer/epochs", epochs);
  saved.put("options", saved_options());
  return saved;
}

void detail::TrainerCore::add_differences(std::string_view op, const Saved& saved, Differences& found) const {
  for (const std::string_view name : {"optimizer_kind", "trainer/steps", "trainer/epochs"}) {
    if (!saved.contains(name)) {
      raise<ValueError>(op,
                        "the file holds what a program has saved by itself, and no checkpoint of a Trainer; load it "
                        "by read_saved");
    }
  }
  const auto state = [&](std::string_view name) { return saved.part(name).arrays(); };
  detail::add_differences("model", model.named_variables(), state("model"), found);
  detail::add_differences("optimizer", optimizer->named_variables(), state("optimizer"), found);
  detail::add_differences("gradients", gradients ? gradients->named_variables() : std::vector<NamedVariable>(),
                          state("gradients"), found);
  Saved here;
  Saved there;
  here.put("optimizer", short_name(typeid(*optimizer)));
  there.put("optimizer", saved.text("optimizer_kind"));
  detail::add_differences("", here, there, found);
}

void detail::TrainerCore::load(const Saved& saved) {
  std::vector<Assignment> updates = updates_from(model.named_variables(), saved.part("model").arrays());
  const auto add = [&](const std::vector<NamedVariable>& variables, std::string_view name) {
    const std::vector<Assignment> more = updates_from(variables, saved.part(name).arrays());
    updates.insert(updates.end(), more.begin(), more.end());
  };
  add(optimizer->named_variables(), "optimizer");
  if (gradients) {
    add(gradients->named_variables(), "gradients");
  }
  updates.emplace_back(steps, saved.integer("trainer/steps"));
  const std::int64_t begun = saved.integer("trainer/epochs");
  assign(updates);
  epochs = begun;
}

void detail::TrainerCore::load_metrics(const Saved& saved) {
  for (Metric& metric : options.metrics) {
    const std::string name = "metric/" + metric.name();
    saved.contains(name) ? metric.load(saved.part(name)) : metric.reset();
  }
}

Saved detail::TrainerCore::saved_options() const {
  Saved saved;
  saved.put("accumulate", options.accumulate);
  if (options.clipping.norm) {
    saved.put("clipping.norm", *options.clipping.norm);
  }
  if (options.clipping.value) {
    saved.put("clipping.value", *options.clipping.value);
  }
  if (options.clipping.not_finite) {
    saved.put("clipping.not_finite", static_cast<std::int64_t>(*options.clipping.not_finite));
  }
  const datasets::BatchOptions& cut = options.batches;
  saved.put("batch_size", cut.batch_size);
  saved.put("seed", phrase("{}", cut.seed));  // any 64 bits
  saved.put("shuffle", cut.shuffle);
  saved.put("drop_last", cut.drop_last);
  saved.put("flatten", cut.flatten);
  saved.put("dtype", to_string(cut.dtype));
  for (std::size_t i = 0; i < cut.augment.size(); ++i) {
    saved.put(phrase("augment.{}", i), cut.augment[i].name());
  }
  for (std::size_t i = 0; i < options.metrics.size(); ++i) {
    saved.put(phrase("metrics.{}", i), options.metrics[i].name());
  }
  return saved;
}

std::uint64_t detail::TrainerCore::step_hash(const datasets::Batch& batch) const {
  const std::uint64_t hash = train_step.structure_hash(batch.features, batch.targets);
  return gradients ? runtime::combine_hashes(hash, update.structure_hash()) : hash;
}

}  // namespace xgrad::nn
