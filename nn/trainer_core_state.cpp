#include <algorithm>
#include <map>
#include <string>
#include <typeinfo>

#include "autograd/runtime/hash.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/differences.hpp"
#include "nn/trainer_core.hpp"

/// \file
/// What a Trainer has to remember beside where it is in a fit.

namespace xgrad::nn {

namespace {

bool is_among(const Variable& variable, const Variables& all) {
  return std::any_of(all.begin(), all.end(), [&](const Variable& other) { return other.same_as(variable); });
}

std::string kind_of(const Optimizer& optimizer) { return detail::short_name(typeid(optimizer)); }

// Under numbers of their own, as they may have any names.
std::vector<NamedVariable> numbered(const Variables& variables) {
  std::vector<NamedVariable> named;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    named.push_back({phrase("{}.{}", i, variables[i].name()), variables[i]});
  }
  return named;
}

}  // namespace

State detail::TrainerCore::optimizer_state() const {
  const std::map<const void*, Array> gathered = sharded ? sharded->gather() : std::map<const void*, Array>();
  State state;
  for (const auto& [name, variable] : optimizer->named_variables()) {
    if (const auto whole = gathered.find(variable.id()); whole != gathered.end()) {
      state.emplace(name, whole->second);
    } else if (!sharded || !sharded->is_in_parts(variable)) {
      state.emplace(name, variable.read().array());
    }
  }
  return state;
}

Saved detail::TrainerCore::saved() {
  if (sharded && snapshot) {  // training goes on
    sharded->take_assigned();
  }
  Saved saved;
  saved.put("model", model);
  saved.put("optimizer", optimizer_state());
  saved.put("optimizer_kind", kind_of(*optimizer));
  if (gradients) {
    saved.put("gradients", *gradients);
  }
  saved.put("variables", state_of(numbered(others)));
  saved.put("metric", saved_metrics());
  saved.put("trainer/steps", steps.item<std::int64_t>());
  saved.put("trainer/epochs", epochs);
  saved.put("options", saved_options());
  return saved;
}

// Of shards each by itself, as the order in which they are brought together counts.
Saved detail::TrainerCore::saved_metrics() {
  Saved all;
  const std::vector<std::vector<Saved>> parts =
      part_metrics ? part_metrics->gather(talk) : std::vector<std::vector<Saved>>();
  for (std::size_t i = 0; i < options.metrics.size(); ++i) {
    Saved own;
    if (!part_metrics) {
      options.metrics[i].save(own);
    } else if (options.shards == 0) {
      Metric together = options.metrics[i].clone();
      bring_together(together, parts[i]);
      together.save(own);
    } else {
      for (std::size_t part = 0; part < parts[i].size(); ++part) {
        own.put(phrase("{}", part), parts[i][part]);
      }
    }
    all.put(options.metrics[i].name(), own);
  }
  return all;
}

State detail::TrainerCore::others_in(const Saved& saved, Part part) const {
  State state = saved.part("variables").arrays();
  const std::vector<NamedVariable> known = numbered(others);
  std::erase_if(state, [&](const auto& entry) {
    return part == Part::outside_fit && std::none_of(known.begin(), known.end(), [&](const NamedVariable& named) {
             return named.name == entry.first;
           });
  });
  return state;
}

void detail::TrainerCore::add_differences(std::string_view op, const Saved& saved, Part part,
                                          Differences& found) const {
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
  detail::add_differences("variables", numbered(others), others_in(saved, part), found);
  if (part == Part::all) {
    detail::add_differences("gradients", gradients ? gradients->named_variables() : std::vector<NamedVariable>(),
                            state("gradients"), found);
  }
  Saved here;
  Saved there;
  here.put("optimizer", kind_of(*optimizer));
  there.put("optimizer", saved.text("optimizer_kind"));
  detail::add_differences("", here, there, found);
}

void detail::TrainerCore::load(const Saved& saved, Part part) {
  std::vector<Assignment> updates = updates_from(model.named_variables(), saved.part("model").arrays());
  const auto add = [&](const std::vector<NamedVariable>& variables, const State& state) {
    const std::vector<Assignment> more = updates_from(variables, state);
    updates.insert(updates.end(), more.begin(), more.end());
  };
  add(optimizer->named_variables(), saved.part("optimizer").arrays());
  add(numbered(others), others_in(saved, part));
  if (gradients && part == Part::all) {
    add(gradients->named_variables(), saved.part("gradients").arrays());
  }
  updates.emplace_back(steps, saved.integer("trainer/steps"));
  const bool was_in_parts = is_in_parts();
  const std::int64_t begun = saved.integer("trainer/epochs");
  if (gradients) {
    gradients->reset();
  }
  assign(updates);
  epochs = begun;
  if (sharded) {
    sharded->forget();
    if (was_in_parts) {
      sharded->divide();
    }
  }
}

void detail::TrainerCore::load_metrics(const Saved& saved) {
  for (std::size_t i = 0; i < options.metrics.size(); ++i) {
    Metric& metric = options.metrics[i];
    const std::string name = "metric/" + metric.name();
    if (!part_metrics) {
      saved.contains(name) ? metric.load(saved.part(name)) : metric.reset();
      continue;
    }
    std::vector<Saved> parts;
    for (std::int64_t part = 0; options.shards != 0 && saved.contains(phrase("{}/{}", name, part)); ++part) {
      parts.push_back(saved.part(phrase("{}/{}", name, part)));
    }
    if (options.shards == 0 && saved.contains(name)) {
      parts.push_back(saved.part(name));
    }
    part_metrics->load(i, parts);
  }
}

Saved detail::TrainerCore::saved_options() const {
  Saved saved;
  saved.put("optimizer", initial_numbers);
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
  if (options.shards != 0) {
    saved.put("shards", options.shards);
  }
  if (options.synchronize_batch_norm) {
    saved.put("synchronize_batch_norm", true);
  }
  if (options.products != ProductPrecision::float32) {
    saved.put("products", to_string(options.products));
  }
  return saved;
}

std::vector<NamedVariable> detail::TrainerCore::named_variables() const {
  std::vector<NamedVariable> all;
  const auto add = [&](const std::string& what, const std::vector<NamedVariable>& variables) {
    for (const NamedVariable& each : variables) {
      all.push_back({what + "/" + each.name, each.variable});
    }
  };
  add("model", model.named_variables());
  add("optimizer", optimizer->named_variables());
  add("parameters", numbered(optimizer->parameters()));
  add("variables", numbered(others));
  add("trainer", {{"steps", steps}});
  return all;
}

std::vector<NamedVariable> detail::TrainerCore::named(const Variables& parameters, const Variables& statistics) const {
  std::vector<NamedVariable> named;
  Variables seen;
  for (const NamedVariable& each : named_variables()) {
    if ((is_among(each.variable, parameters) || is_among(each.variable, statistics)) &&
        !is_among(each.variable, seen)) {
      named.push_back(each);
      seen.push_back(each.variable);
    }
  }
  return named;
}

std::vector<NamedVariable> detail::TrainerCore::optimizer_numbers() const {
  std::vector<NamedVariable> numbers = optimizer->named_variables();
  std::erase_if(numbers, [&](const NamedVariable& each) { return is_among(each.variable, optimizer->state()); });
  return numbers;
}

void detail::TrainerCore::note_others(const Variables& assigned) {
  Variables known = model.variables();
  for (const Variables& more :
       {optimizer->variables(), gradients ? gradients->sums() : Variables(), Variables{steps}}) {
    known.insert(known.end(), more.begin(), more.end());
  }
  if (gradients) {
    known.push_back(gradients->count());
  }
  others.clear();
  for (const Variables& candidates : {optimizer->parameters(), assigned}) {
    for (const Variable& variable : candidates) {
      if (!is_among(variable, known) && !is_among(variable, others)) {
        others.push_back(variable);
      }
    }
  }
}

std::uint64_t detail::TrainerCore::look_at_step(const datasets::Batch& batch) {
  looks_at_gradients = false;  // it changes nothing that is computed
  const Outline step = train_step.outline(batch.features, batch.targets);
  note_others(step.assigned);
  if (sharded) {
    Variables trained = optimizer->variables();
    for (const Variables& more : {optimizer->parameters(), gradients ? gradients->sums() : Variables(),
                                  gradients ? Variables{gradients->count()} : Variables(), Variables{steps}}) {
      trained.insert(trained.end(), more.begin(), more.end());
    }
    Variables statistics = step.assigned;
    std::erase_if(statistics, [&](const Variable& variable) { return is_among(variable, trained); });
    if (!is_prepared) {
      sharded->set_statistics(statistics);
      is_prepared = true;
    }
  }
  const std::uint64_t hash = gradients ? runtime::combine_hashes(step.hash, update.outline().hash) : step.hash;
  looks_at_gradients = options.check == Check::gradients;
  return hash;
}

}  // namespace xgrad::nn
