#include "autograd/plan/loops.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

#include "autograd/plan/planner.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/pool.hpp"
#include "autograd/runtime/workers.hpp"

namespace xgrad {

namespace plan {

namespace {

std::size_t bytes_of(const Tensor& tensor) { return static_cast<std::size_t>(tensor.size()) * size_of(tensor.dtype()); }

std::size_t aligned(std::size_t bytes) {
  return (bytes + runtime::alignment - 1) / runtime::alignment * runtime::alignment;
}

// One step. A carry may be written over the one before, where the step reads that nowhere else: a sum that grows stays where
// it is.
std::shared_ptr<const Executable> plan_of_step(const SubProgram& body, const Tensors& outputs, std::size_t carries,
                                               const PlanOptions& options) {
  Tensors roots = body.effects();
  roots.insert(roots.end(), outputs.begin(), outputs.end());
  const Description description(roots, body.inputs());
  std::vector<Description::Value> values;
  for (const Tensor& output : outputs) {
    values.push_back(description.value_of(output));
  }
  std::vector<std::uint32_t> reads(carries);
  for (std::size_t node = 0; node < description.nodes().size(); ++node) {
    for (const Description::Value value : description.reads(node)) {
      const std::size_t leaf = value & ~Description::leaf_bit;
      if ((value & Description::leaf_bit) != 0 && leaf >= 1 && leaf <= carries) {
        ++reads[leaf - 1];
      }
    }
  }
  std::vector<std::uint32_t> replaces(outputs.size(), Draft::none);
  for (std::size_t i = 0; i < carries; ++i) {
    if (reads[i] == 1) {
      replaces[i] = static_cast<std::uint32_t>(1 + i);
    }
  }
  return make_executable(description, values, body.inputs().size(), std::move(replaces), options);
}

}  // namespace

LoopPlan::LoopPlan(const Loop& loop, const std::vector<bool>& wanted, const PlanOptions& options)
    : steps_(loop.steps),
      reverse_(loop.reverse),
      stops_(loop.stops),
      counted_(loop.counted),
      input_count_(loop.carry_count() + loop.slice_count() + loop.captured_count() + (loop.counted ? 1 : 0)),
      program_inputs_(loop.body->inputs().size()) {
  const Tensors& all = loop.body->outputs();
  Tensors outputs(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(loop.carry_count()));
  for (std::size_t i = 0; i < loop.result_count(); ++i) {
    if (wanted[loop.first_result() + i]) {
      outputs.push_back(all[loop.carry_count() + i]);
      results_.push_back({loop.first_result() + i, bytes_of(outputs.back())});
    }
  }
  step_ = plan_of_step(*loop.body, outputs, loop.carry_count(), options);
  for (std::size_t i = 0; i < loop.carry_count(); ++i) {
    carries_.push_back({bytes_of(outputs[i]), 0, wanted[i] ? 0 : std::size_t{1}, step_->schedule().in_place[i]});
  }
  for (std::size_t i = 0; i < loop.slice_count(); ++i) {
    const std::size_t number = loop.carry_count() + i;
    slices_.push_back({number, bytes_of(loop.body->inputs()[1 + number])});
  }
  lay_out();
}

// Plan, index, pointers, carries.
void LoopPlan::lay_out() {
  std::size_t end = aligned(step_->inside_bytes());
  const auto take = [&](std::size_t bytes) {
    const std::size_t offset = end;
    end += aligned(bytes);
    return offset;
  };
  index_offset_ = take(sizeof(std::int64_t));
  in_offset_ = take(program_inputs_ * sizeof(void*));
  out_offset_ = take((carries_.size() + results_.size()) * sizeof(void*));
  for (Carry& carry : carries_) {
    const bool has_output = carry.other_offset == 0;
    carry.other_offset = has_output ? 0 : take(carry.bytes);
    carry.offset = take(carry.bytes);
  }
  memory_bytes_ = end;
}

double LoopPlan::cost() const {
  constexpr double unknown_steps = 100;
  return step_->cost() * (stops_ ? unknown_steps : static_cast<double>(steps_));
}

/// One run.
class LoopPlan::Running {
 public:
  Running(const LoopPlan& plan, void* const* in, void* const* out, std::byte* memory)
      : plan_(plan),
        given_(in),
        wanted_(out),
        memory_(memory),
        index_(reinterpret_cast<std::int64_t*>(memory + plan.index_offset_)),
        in_(reinterpret_cast<void**>(memory + plan.in_offset_)),
        out_(reinterpret_cast<void**>(memory + plan.out_offset_)) {}

  void run(std::byte* scratch, int threads) {
    const std::int64_t most = plan_.counted_ ? counted_steps() : plan_.steps_;
    begin(most);
    std::int64_t step = 0;
    for (; step < most && goes_on(); ++step) {
      place(plan_.reverse_ ? most - 1 - step : step);
      try {
        plan_.step_->run_inside(in_, out_, memory_, scratch, threads);
      } catch (Error& error) {
        error.add_note(phrase("in step {} of a loop", step));
        throw;
      }
      advance();
    }
    finish(step);
  }

 private:
  std::int64_t counted_steps() const {
    const auto count = *static_cast<const std::int64_t*>(given_[plan_.input_count_ - 1]);
    return std::clamp<std::int64_t>(count, 0, plan_.steps_);
  }

  void* first_buffer(std::size_t i) const {
    const Carry& carry = plan_.carries_[i];
    return carry.other_offset == 0 ? wanted_[i] : memory_ + carry.other_offset;
  }
  void* second_buffer(std::size_t i) const { return memory_ + plan_.carries_[i].offset; }

  // Carries go from one buffer to the other, such that the last of a known number of steps writes the output.
  void begin(std::int64_t steps) {
    *index_ = 0;
    in_[0] = index_;
    const std::size_t carries = plan_.carries_.size();
    for (std::size_t i = 0; i < carries; ++i) {
      in_[1 + i] = given_[i];
      if (plan_.carries_[i].in_place) {
        in_[1 + i] = out_[i] = first_buffer(i);
        std::memcpy(out_[i], given_[i], plan_.carries_[i].bytes);
      } else {
        out_[i] = steps % 2 == 1 ? first_buffer(i) : second_buffer(i);
      }
    }
    for (std::size_t i = carries + plan_.slices_.size(); i + 1 < plan_.program_inputs_; ++i) {
      in_[1 + i] = given_[i];
    }
  }

  bool goes_on() const { return !plan_.stops_ || *static_cast<const bool*>(in_[1]); }

  void place(std::int64_t index) {
    *index_ = index;
    const auto row = static_cast<std::size_t>(index);
    for (std::size_t i = 0; i < plan_.slices_.size(); ++i) {
      const Rows& slice = plan_.slices_[i];
      in_[1 + slice.number] = static_cast<std::byte*>(given_[slice.number]) + row * slice.bytes;
    }
    for (std::size_t i = 0; i < plan_.results_.size(); ++i) {
      const Rows& result = plan_.results_[i];
      out_[plan_.carries_.size() + i] = static_cast<std::byte*>(wanted_[result.number]) + row * result.bytes;
    }
  }

  void advance() {
    for (std::size_t i = 0; i < plan_.carries_.size(); ++i) {
      if (!plan_.carries_[i].in_place) {
        in_[1 + i] = out_[i];
        out_[i] = out_[i] == first_buffer(i) ? second_buffer(i) : first_buffer(i);
      }
    }
  }

  void finish(std::int64_t steps) {
    for (std::size_t i = 0; i < plan_.carries_.size(); ++i) {
      if (plan_.carries_[i].other_offset == 0 && in_[1 + i] != wanted_[i]) {
        std::memcpy(wanted_[i], in_[1 + i], plan_.carries_[i].bytes);
      }
    }
    if (plan_.stops_ && wanted_[plan_.carries_.size()] != nullptr) {
      *static_cast<std::int64_t*>(wanted_[plan_.carries_.size()]) = steps;
    }
    for (const Rows& result : plan_.results_) {  // of the steps that there might have been
      const auto done = static_cast<std::size_t>(steps);
      std::memset(static_cast<std::byte*>(wanted_[result.number]) + done * result.bytes, 0,
                  (static_cast<std::size_t>(plan_.steps_) - done) * result.bytes);
    }
  }

  const LoopPlan& plan_;
  void* const* given_;
  void* const* wanted_;
  std::byte* memory_;
  std::int64_t* index_;
  void** in_;
  void** out_;
};

void LoopPlan::run(void* const* in, void* const* out, std::byte* memory, std::byte* scratch, int threads) const {
  Running(*this, in, out, memory).run(scratch, threads);
}

namespace {

/// The plans of a loop that is computed by itself, by what is wanted of it.
struct KnownPlans {
  std::mutex mutex;
  std::map<std::vector<bool>, std::shared_ptr<const LoopPlan>> plans;
};

// Loops of one program may differ in the number of their steps and other things that a plan holds.
std::vector<bool> key_of(const Loop& loop, std::vector<bool> wanted) {
  for (const bool flag : {loop.reverse, loop.stops, loop.counted}) {
    wanted.push_back(flag);
  }
  for (std::int64_t rest = loop.steps; rest > 0; rest /= 2) {
    wanted.push_back(rest % 2 == 1);
  }
  return wanted;
}

std::shared_ptr<const LoopPlan> plan_for(const Loop& loop, const std::vector<bool>& wanted) {
  const auto attachment = loop.body->attachment([] { return std::make_shared<const KnownPlans>(); });
  auto& known = const_cast<KnownPlans&>(*static_cast<const KnownPlans*>(attachment.get()));
  const std::vector<bool> key = key_of(loop, wanted);
  {
    const std::lock_guard lock(known.mutex);
    if (const auto found = known.plans.find(key); found != known.plans.end()) {
      return found->second;
    }
  }
  auto plan = std::make_shared<const LoopPlan>(loop, wanted, PlanOptions());
  const std::lock_guard lock(known.mutex);
  return known.plans.emplace(key, std::move(plan)).first->second;
}

}  // namespace

}  // namespace plan

void detail::run_loop(const Loop& loop, ConstViews in, Views out) {
  std::vector<void*> from;
  std::vector<void*> to;
  std::vector<bool> wanted;
  for (const ConstView& view : in) {
    from.push_back(const_cast<void*>(view.data));
  }
  for (const View& view : out) {
    to.push_back(view.data);
    wanted.push_back(view.data != nullptr);
  }
  const auto plan = plan::plan_for(loop, wanted);
  const int threads = runtime::num_threads();
  const std::size_t scratch = plan->scratch_stride() * static_cast<std::size_t>(threads);
  const Array memory({static_cast<std::int64_t>(plan->memory_bytes() + scratch)}, DType::uint8);
  std::byte* start = memory.buffer()->data();
  plan->run(from.data(), to.data(), start, start + plan->memory_bytes(), threads);
}

}  // namespace xgrad
