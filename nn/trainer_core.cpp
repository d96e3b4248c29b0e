#include "nn/trainer_core.hpp"

#include <algorithm>
#include <string>
#include <tuple>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/ops/require_finite.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/optimizers/checks.hpp"
#include "nn/packed.hpp"

namespace xgrad::nn {

namespace {

// Keeps dropout apart from other random numbers of the same seed.
constexpr std::uint64_t training_stream = 0x747261696e;  // "train"

void require_names(const std::vector<Metric>& metrics) {
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const std::string name = metrics[i].name();
    bool is_taken = name == "loss" || name == "learning_rate" || name == "seconds";
    for (std::size_t j = 0; j < i; ++j) {
      is_taken = is_taken || metrics[j].name() == name;
    }
    if (is_taken) {
      raise<ValueError>("trainer", phrase("a metric is called '{}', like another score; leave it out, or give it "
                                          "another name",
                                          name));
    }
  }
}

}  // namespace

void require_samples(std::string_view op, const datasets::Dataset& data, std::string_view what) {
  if (data.size() == 0) {
    raise<ValueError>(op, phrase("{} have no samples; give at least one", what));
  }
}

detail::TrainerCore::TrainerCore(Module m, std::shared_ptr<Optimizer> o, Loss l, TrainerOptions all,
                                 std::source_location place)
    : model(std::move(m)),
      optimizer(std::move(o)),
      loss(std::move(l)),
      options(std::move(all)),
      where(place),
      talk(options.world),
      sharding(Sharding::of(options)),
      steps(Tensor(std::int64_t{0}), "steps"),
      looks_at_gradients(options.check == Check::gradients),
      train_step(compile(
          Step([this](const Tensor& features, const Tensor& targets) {
            Result result = training_loss_of(features, targets);
            use_gradients_of(result.first, features.shape(0));
            steps.assign(steps + 1);
            return result;
          }),
          {.name = "train_step", .products = options.products, .argument_names = {"features", "targets"}}, place)),
      update(compile(std::function<void()>([this] {
                       optimizer->step(gradients->mean(), clipping(), where);
                       gradients->reset();
                     }),
                     {.name = "update"}, place)),
      test_step(compile(
          Step([this](const Tensor& features, const Tensor& targets) { return loss_of(features, targets, Mode()); }),
          {.name = "test_step", .products = options.products}, place)),
      forward(compile(Forward([this](const Tensor& features) { return model(Operand(features, where)); }),
                      {.name = "predict", .products = options.products}, place)) {
  if (!optimizer) {
    raise<ValueError>("trainer", "the optimiser is a null pointer; give one");
  }
  require_names(options.metrics);
  if (options.accumulate < 1) {
    raise<ValueError>("trainer", phrase("{} batches make an update; give 1 or more", options.accumulate));
  }
  if (options.accumulate > 1) {
    gradients.emplace(optimizer->parameters(), place);
  }
  if (sharding.parts > 1) {
    sharded.emplace(*this, sharding);
    part_metrics.emplace(options.metrics, sharding);
  }
  note_others({});
  for (const Variable& number : optimizer->variables()) {
    const Variables& state = optimizer->state();
    if (std::none_of(state.begin(), state.end(), [&](const Variable& own) { return own.same_as(number); })) {
      initial_numbers.put(number.name(), number.item());
    }
  }
}

detail::StepResult detail::TrainerCore::step(const datasets::Epoch& epoch, std::int64_t batch,
                                             const StepOptions& with) {
  Tensor batch_loss;
  Tensor predictions;
  StepResult result;
  if (sharded) {
    result = sharded->run(epoch, batch, with.counts, with.stop);
  } else {
    at_hand = {};  // so that its memory is used again
    at_hand = epoch[batch];
    std::tie(batch_loss, predictions) = train_step(at_hand.features, at_hand.targets);
  }
  if (gradients && with.updates) {
    update();
    if (sharded) {
      sharded->note_contents();
    }
  }
  if (sharded) {
    return result;
  }
  result = {batch_loss.item(), at_hand.features.shape()[0], with.stop};
  if (with.counts) {
    update_metrics(predictions, at_hand.targets);
  }
  return result;
}

void detail::TrainerCore::prepare(const datasets::Batches& batches) {
  if (sharded && !is_prepared) {
    step_hash = look_at_step(batches.epoch(0)[0]);
  }
}

void detail::TrainerCore::begin_epoch() {
  reset_metrics();
  if (gradients) {
    gradients->reset();
  }
}

void detail::TrainerCore::join_after_failure() noexcept {
  if (!sharded || !talk.all_leave()) {
    return;
  }
  try {
    talk.together("fit", [&] { sharded->join(); });
  } catch (...) {  // what has been thrown first is what counts
  }
}

detail::TrainerCore::Result detail::TrainerCore::loss_of(const Tensor& features, const Tensor& targets,
                                                         const Mode& mode) const {
  const Tensor predictions = model(Operand(features, where), mode);
  const Tensor result = [&] {
    const NameScope name("loss");
    return loss(predictions, targets);
  }();
  if (result.size() != 1 || !is_floating(result.dtype())) {
    raise<ShapeError>("loss", phrase("it is {} of shape {}; a loss is one floating number, such as a mean",
                                     to_string(result.dtype()), to_string(result.shape())));
  }
  return {reshape(result, {}), predictions};
}

detail::TrainerCore::Result detail::TrainerCore::training_loss_of(const Tensor& features, const Tensor& targets) const {
  auto [result, predictions] = loss_of(features, targets, Training(training_key()));
  return {when_finite(result), predictions};
}

random::Key detail::TrainerCore::training_key() const {
  return random::Key(options.batches.seed).fold(training_stream).fold(steps);
}

Tensor detail::TrainerCore::when_finite(const Tensor& batch_loss) const {
  return apply_op(xgrad::detail::RequireFinite{"loss", {"the loss"}, ""}, {batch_loss}, where);
}

Clipping detail::TrainerCore::clipping() const {
  Clipping result = options.clipping;
  if (looks_at_gradients && !result.not_finite) {
    result.not_finite = NotFinite::pass;  // they have been looked at
  }
  return result;
}

Tensor detail::TrainerCore::when_gradients_are_finite(const Tensor& batch_loss, const Tensors& found) const {
  if (!looks_at_gradients || options.clipping.not_finite) {
    return batch_loss;
  }
  return detail::when_gradients_are_finite(batch_loss, found, optimizer->parameters(), where);
}

void detail::TrainerCore::use_gradients_of(Tensor& batch_loss, std::int64_t samples) {
  const Tensors found = gradients_of(batch_loss, optimizer->parameters(), where);
  batch_loss = when_gradients_are_finite(batch_loss, found);
  if (gradients) {
    gradients->add_gradients(found, static_cast<double>(std::max<std::int64_t>(1, samples)), where);
  } else {
    optimizer->step(found, clipping(), where);
  }
}

datasets::Batches detail::TrainerCore::plain_batches(const datasets::Dataset& data) const {
  datasets::BatchOptions plain = options.batches;
  plain.shuffle = false;
  plain.drop_last = false;
  plain.augment.clear();
  return datasets::Batches(data, plain, where);
}

Tensor detail::TrainerCore::predictions(const datasets::Dataset& data, runtime::ProgressLine& line) const {
  const datasets::Batches batches = plain_batches(data);
  Tensors parts;
  for (const auto& [batch, unused] : batches.epoch(0)) {
    parts.push_back(forward(batch));
    line.update(static_cast<std::int64_t>(parts.size()), batches.count());
  }
  const Tensor all = parts.size() == 1 ? parts.front() : concatenate(parts, 0, where);
  return all.detach();
}

void detail::TrainerCore::evaluate(const datasets::Dataset& data, std::string_view prefix, Scores& scores,
                                   runtime::ProgressLine& line) {
  reset_metrics();
  double sum = 0;
  const datasets::Batches batches = plain_batches(data);
  if (sharded) {
    sum = sharded_test_loss(batches.epoch(0), line);
  } else {
    std::int64_t done = 0;
    for (const auto& [features, targets] : batches.epoch(0)) {
      const auto [batch_loss, predictions] = test_step(features, targets);
      sum += batch_loss.item() * static_cast<double>(targets.shape()[0]);
      update_metrics(predictions, targets);
      line.update(++done, batches.count());
    }
  }
  scores.set(std::string(prefix) + "loss", sum / static_cast<double>(data.size()));
  read_metrics(prefix, scores);
}

// Whole batches, which are dealt out to the parts: so each gives the same wherever it is computed.
double detail::TrainerCore::sharded_test_loss(const datasets::Epoch& epoch, runtime::ProgressLine& line) {
  Packer own;
  for (std::int64_t i = 0; i < epoch.count(); ++i) {
    if (sharding.is_own(i % sharding.parts)) {
      const auto [features, targets] = epoch[i];
      const auto [batch_loss, predictions] = test_step(features, targets);
      own.number(batch_loss.item() * static_cast<double>(targets.shape()[0]));
      update_part_metrics(i % sharding.parts - sharding.first, predictions, targets);
      line.update(i + 1, epoch.count());
    }
  }
  const std::vector<std::string> all = talk.exchange(phrase("evaluation of {} batches", epoch.count()), own.bytes());
  std::vector<Unpacker> losses(all.begin(), all.end());
  double sum = 0;
  for (std::int64_t i = 0; i < epoch.count(); ++i) {
    sum += losses[static_cast<std::size_t>(i % sharding.parts / sharding.own)].number();
  }
  return sum;
}

void detail::TrainerCore::read_metrics(std::string_view prefix, Scores& scores) {
  if (part_metrics) {
    part_metrics->collect(talk, options.metrics);
  }
  for (const Metric& metric : options.metrics) {
    scores.set(std::string(prefix) + metric.name(), metric.value());
  }
}

void detail::TrainerCore::reset_metrics() {
  for (Metric& metric : options.metrics) {
    metric.reset();
  }
  if (part_metrics) {
    part_metrics->reset();
  }
}

namespace {

void update_metric(Metric& metric, const Tensor& predictions, const Array& targets, const std::source_location& where) {
  try {
    metric.update(Operand(predictions, where), Operand(targets, where));
  } catch (Error& error) {
    error.add_note(phrase("in metric '{}'", metric.name()));
    throw;
  }
}

}  // namespace

void detail::TrainerCore::update_metrics(const Tensor& predictions, const Array& targets) {
  for (Metric& metric : options.metrics) {
    update_metric(metric, predictions, targets, where);
  }
}

void detail::TrainerCore::update_part_metrics(std::int64_t part, const Tensor& predictions, const Array& targets) {
  for (std::size_t i = 0; i < options.metrics.size(); ++i) {
    update_metric(part_metrics->at(part, i), predictions, targets, where);
  }
}

}  // namespace xgrad::nn
