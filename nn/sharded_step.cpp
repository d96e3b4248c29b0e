#include "nn/sharded_step.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/graph/operation.hpp"
#include "autograd/ops/ops.hpp"
#include "autograd/runtime/phrase.hpp"
#include "nn/optimizers/checks.hpp"
#include "nn/packed.hpp"
#include "nn/rank_sums.hpp"
#include "nn/trainer_core.hpp"

namespace xgrad::nn::detail {

ShardedStep::ShardedStep(TrainerCore& core, const Sharding& sharding)
    : core_(core), sharding_(sharding), compute_(compile_part(false)), update_({.name = "train_update"}, core.where) {}

Compiled<ShardedStep::Part> ShardedStep::compile_part(bool explains) const {
  return compile(
      Part([this, explains](const Tensor& features, const Tensor& targets, const Tensor& weight, const Tensor& part) {
        return compute_part(features, targets, weight, part, explains);
      }),
      {.name = "train_part",
       .products = core_.options.products,
       .argument_names = {"features", "targets", "weight", "part"}},
      core_.where);
}

bool ShardedStep::synchronizes() const { return core_.options.synchronize_batch_norm && core_.talk.size() > 1; }

// Loss, predictions, gradients, statistics: those last two times the part's weight in the mean over all samples.
Tensors ShardedStep::compute_part(const Tensor& features, const Tensor& targets, const Tensor& weight,
                                  const Tensor& part, bool explains) const {
  const Tensors before(statistics_.begin(), statistics_.end());
  Mode mode = Training(core_.training_key().fold(part));
  if (synchronizes()) {
    mode = mode.synchronized(core_.talk.world());
  }
  auto [loss, predictions] = core_.loss_of(features, targets, mode);
  const Tensor weighted = loss * cast(weight, loss.dtype());
  const Tensors gradients = gradients_of(weighted, core_.optimizer->parameters(), core_.where);
  loss = core_.when_gradients_are_finite(explains ? core_.when_finite(loss) : loss, gradients);
  Tensors computed = {loss, predictions};
  computed.insert(computed.end(), gradients.begin(), gradients.end());
  for (std::size_t i = 0; i < statistics_.size(); ++i) {
    const Tensor after = statistics_[i];
    const DType dtype = derivative_dtype(after.dtype());  // of bfloat16: float32, until all have been added
    computed.push_back(is_real(after.dtype()) ? cast(after, dtype) * cast(weight, dtype) : after);
    statistics_[i].assign(before[i]);  // the next part begins where this one did
  }
  return computed;
}

Tensors ShardedStep::run_part(std::int64_t part, double weight) const {
  if (!synchronizes()) {
    return compute_(at_hand_.features, at_hand_.targets, weight, part);
  }
  try {
    return compute_(at_hand_.features, at_hand_.targets, weight, part);
  } catch (const std::exception& error) {  // the others may be waiting in the middle of the model
    core_.talk.world()->abort(
        phrase("rank {} cannot go on in the middle of a batch that is normalised over all ranks: {}", core_.talk.rank(),
               error.what()));
    throw;
  }
}

// The part that failed once more, in a function that requires its loss to be finite.
NotFiniteError ShardedStep::explained(const NotFiniteError& error) {
  if (thrown_) {
    return *thrown_;
  }
  if (synchronizes()) {
    return error;  // other ranks would have to compute it, too
  }
  const auto again = compile_part(true);
  try {
    again(at_hand_.features, at_hand_.targets, 1.0, at_hand_part_);
  } catch (const NotFiniteError& with_story) {
    return with_story;
  }
  return error;
}

std::int64_t ShardedStep::first_row() const {
  const std::int64_t batch_size = core_.options.batches.batch_size;
  return at_hand_part_ * ((batch_size + sharding_.parts - 1) / sharding_.parts);
}

void ShardedStep::run_parts(const datasets::Epoch& epoch, std::int64_t batch, bool counts) {
  const auto all = static_cast<double>(epoch.samples(batch));
  fails_here_ = false;
  thrown_.reset();
  computed_.clear();
  losses_.clear();
  samples_.clear();
  for (std::int64_t i = 0; i < sharding_.own; ++i) {
    const std::int64_t part = sharding_.first + i;
    at_hand_ = {};  // so that its memory is used again
    at_hand_ = epoch.part(batch, part, sharding_.parts);
    at_hand_part_ = part;
    const std::int64_t size = at_hand_.features.shape()[0];
    if (size == 0 && !synchronizes()) {
      break;  // and so are the parts behind it
    }
    Tensors computed;
    try {
      computed = run_part(part, static_cast<double>(size) / all);
    } catch (const NotFiniteError& error) {  // all ranks have to know, at the same place
      thrown_ = error;
      losses_.push_back(std::numeric_limits<double>::quiet_NaN());
      samples_.push_back(static_cast<double>(size));
      fails_here_ = true;
      break;
    } catch (Error& error) {
      const std::string whose = core_.options.shards > 0 ? phrase("shard {} of {}", part, sharding_.parts)
                                                         : phrase("the part of rank {}", core_.talk.rank());
      error.add_note(phrase("in {}, which has {} of {} samples", whose, size, epoch.samples(batch)));
      throw;
    }
    computed_.insert(computed_.end(), computed.begin() + 2, computed.end());
    if (size == 0) {
      break;
    }
    const auto loss = computed[0].item<double>();
    losses_.push_back(loss * static_cast<double>(size));
    samples_.push_back(static_cast<double>(size));
    fails_here_ = !std::isfinite(loss);
    if (fails_here_) {
      break;
    }
    if (counts) {
      core_.update_part_metrics(i, computed[1], at_hand_.targets);
    }
  }
  computed_.push_back(Tensor(all));
}

// What callbacks have assigned since the last step.
Facts ShardedStep::assigned() const {
  if (core_.talk.size() == 1) {
    return {};
  }
  Facts facts = watched_.assigned();
  if (partial_) {
    facts.merge(partial_->assigned());
  }
  return facts;
}

// Where ranks find out that one of them cannot go on: nothing has been written yet.
StepResult ShardedStep::agree(const StopRequest& stop) const {
  Packer own;
  own.text(stop.reason);
  own.integer(stop.interrupted ? 1 : 0);
  own.integer(static_cast<std::int64_t>(losses_.size()));
  for (std::size_t i = 0; i < losses_.size(); ++i) {
    own.number(losses_[i]);
    own.number(samples_[i]);
  }
  const Facts changed = assigned();
  own.text(watched_.packed(changed));
  const std::string place = phrase("step {}", core_.steps.item<std::int64_t>() + 1);
  StepResult result;
  double loss = 0;
  double samples = 0;
  std::vector<std::string> all_assigned;
  for (const std::string& bytes : core_.talk.exchange(place, own.bytes())) {
    Unpacker message(bytes);
    const StopRequest wish{message.text(), message.integer() != 0};
    result.stop = result.stop.reason.empty() ? wish : result.stop;
    for (std::int64_t left = message.integer(); left > 0; --left) {
      loss += message.number();
      samples += message.number();
    }
    all_assigned.push_back(message.text());
  }
  if (!std::isfinite(loss)) {
    raise<NotFiniteError>("loss", phrase("it is {}", loss));
  }
  watched_.require_alike(core_.talk, changed, all_assigned);
  result.loss = loss / samples;
  result.samples = static_cast<std::int64_t>(samples);
  return result;
}

StepResult ShardedStep::run(const datasets::Epoch& epoch, std::int64_t batch, bool counts, const StopRequest& stop) {
  if (partial_ && !partial_->is_divided()) {
    raise<ValueError>("fit",
                      "what the optimiser remembers is not divided among ranks in the middle of training; call "
                      "fit again, or go on from a checkpoint");
  }
  run_parts(epoch, batch, counts);
  const StepResult result = agree(stop);
  if (partial_) {
    partial_->take_assigned();
  }
  update_(computed_, {this, [](void* step, std::span<const Tensor> computed) {
                        return static_cast<const ShardedStep*>(step)->update(computed);
                      }});
  watched_.note();
  return result;
}

// Gradients, then statistics, over all parts of this rank.
Tensors ShardedStep::sums(std::span<const Tensor> computed) const {
  const Variables& parameters = core_.optimizer->parameters();
  const std::size_t each = parameters.size() + statistics_.size();
  const std::size_t parts = computed.size() / each;
  Tensors sums;
  for (std::size_t i = 0; i < each; ++i) {
    const bool is_gradient = i < parameters.size();
    const Variable& variable = is_gradient ? parameters[i] : statistics_[i - parameters.size()];
    const bool counts = is_real(variable.dtype()) || sharding_.first == 0;
    Tensors terms;
    for (std::size_t part = 0; part < parts; ++part) {
      terms.push_back(computed[part * each + i]);
    }
    if (terms.empty() || !counts) {
      sums.push_back(nothing_to_add({variable.shape(), derivative_dtype(variable.dtype())}));
    } else if (is_real(variable.dtype())) {
      sums.push_back(tree_sum(terms, static_cast<std::size_t>(sharding_.own)));
    } else {
      sums.push_back(terms.front());
    }
  }
  return sums;
}

// What the optimiser does with gradients, given the sums of this rank.
void ShardedStep::take_gradients(const Tensors& sums, const Tensor& samples) const {
  const bool is_alone = core_.talk.size() == 1;
  if (partial_) {
    partial_->step(sums);
    return;
  }
  const Tensors gradients = is_alone ? sums : all_reduced(*core_.talk.world(), sums);
  if (core_.gradients) {
    core_.gradients->add_gradients(gradients, samples, core_.where);
  } else {
    core_.optimizer->step(gradients, core_.clipping(), core_.where);
  }
}

void ShardedStep::set_statistics(const Variables& statistics) {
  statistics_ = statistics;
  watched_ = {core_.optimizer_numbers(), core_.named(core_.optimizer->parameters(), statistics)};
  if (core_.talk.size() > 1 && !core_.gradients) {
    partial_ = PartialUpdate::of(*core_.optimizer, core_.clipping(), core_.talk);
  }
}

void ShardedStep::divide() {
  if (partial_) {
    partial_->divide();
  }
  watched_.note();
}

void ShardedStep::divide_again() {
  if (partial_ && !partial_->is_divided()) {
    partial_->divide();
  }
}

void ShardedStep::join() {
  if (partial_) {
    partial_->join(core_.talk);
  }
}

void ShardedStep::forget() {
  if (partial_) {
    partial_->forget();
  }
}

void ShardedStep::take_assigned() {
  if (core_.talk.size() > 1) {
    const Facts own = assigned();
    watched_.require_alike(core_.talk, own,
                           core_.talk.exchange("what callbacks may have assigned", watched_.packed(own)));
  }
  if (partial_) {
    partial_->take_assigned();
  }
}

std::map<const void*, Array> ShardedStep::gather() const {
  if (!partial_ || !partial_->is_divided()) {
    return {};
  }
  partial_->take_assigned();
  return partial_->gather(core_.talk);
}

xgrad::detail::Results ShardedStep::update(std::span<const Tensor> computed) const {
  const Tensor samples = computed.back();
  const Tensors all = sums(computed.first(computed.size() - 1));
  const auto first_statistic = all.begin() + static_cast<std::ptrdiff_t>(core_.optimizer->parameters().size());
  take_gradients(Tensors(all.begin(), first_statistic), samples);
  Tensors statistics(first_statistic, all.end());
  if (core_.talk.size() > 1 && !statistics.empty()) {
    statistics = all_reduced(*core_.talk.world(), statistics);
  }
  std::vector<Assignment> updates = {{core_.steps, core_.steps + 1}};
  for (std::size_t i = 0; i < statistics_.size(); ++i) {
    updates.emplace_back(statistics_[i], cast(statistics[i], statistics_[i].dtype()));
  }
  assign(updates);
  return {};
}

}  // namespace xgrad::nn::detail
