#include "autograd/plan/steps/loop_plan.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "autograd/plan/steps/several_steps.hpp"
#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/pool.hpp"

namespace xgrad::plan {

namespace {

std::size_t bytes_of(const Tensor& tensor) { return static_cast<std::size_t>(tensor.size()) * size_of(tensor.dtype()); }

// How often the program reads each of its inputs.
std::vector<std::uint32_t> count_reads(const SubProgram& program) {
  std::vector<std::uint32_t> reads(program.inputs().size());
  const Description& description = program.description();
  for (std::size_t node = 0; node < description.nodes().size(); ++node) {
    for (const Description::Value value : description.reads(node)) {
      const std::size_t leaf = value & ~Description::leaf_bit;
      if ((value & Description::leaf_bit) != 0 && leaf < reads.size()) {
        ++reads[leaf];
      }
    }
  }
  return reads;
}

// Whether the calls take longer than the steps themselves.
bool is_short(const NestedPlan& step) {
  constexpr double call_ns = 50;
  constexpr double most_ns = 1000;
  return step.cost() + call_ns * static_cast<double>(step.draft().steps.size()) < most_ns;
}

// A carry may be written over the one before where the step reads that only once: a sum that grows stays where it is.
std::shared_ptr<const NestedPlan> nested_plan_of(const SubProgram& program, std::size_t carries,
                                                 const std::vector<bool>& wanted, const NestedPlanner& planner) {
  const std::vector<std::uint32_t> reads = count_reads(program);
  const auto count = static_cast<std::size_t>(std::count(wanted.begin(), wanted.end(), true));
  std::vector<std::uint32_t> replaces(count, Draft::none);
  for (std::size_t i = 0; i < carries; ++i) {
    replaces[i] = reads[1 + i] == 1 ? static_cast<std::uint32_t>(1 + i) : Draft::none;
  }
  return planner.plan_part(program, wanted, std::move(replaces));
}

constexpr std::int64_t several = 8;

}  // namespace

LoopPlan::Plans LoopPlan::plan_steps(const Loop& loop, const std::vector<bool>& wanted, const NestedPlanner& planner) {
  std::vector<bool> of_step(loop.body->outputs().size(), true);
  for (std::size_t i = 0; i < loop.result_count(); ++i) {
    of_step[loop.carry_count() + i] = wanted[loop.first_result() + i];
  }
  Plans plans{nested_plan_of(*loop.body, loop.carry_count(), of_step, planner)};
  if (!loop.stops && loop.steps >= 2 * several && loop.effect().empty() && is_short(*plans[0])) {
    const Ref<const SubProgram> program = several_steps(loop, of_step, several);
    plans.push_back(
        nested_plan_of(*program, loop.carry_count(), std::vector<bool>(program->outputs().size(), true), planner));
  }
  return plans;
}

LoopPlan::LoopPlan(const Loop& loop, const std::vector<bool>& wanted, const Plans& plans)
    : steps_(loop.steps),
      needless_steps_(0),
      reverse_(loop.reverse),
      stops_(loop.stops),
      counted_(loop.counted),
      input_count_(loop.carry_count() + loop.slice_count() + loop.captured_count() + (loop.counted ? 1 : 0)),
      captured_(loop.captured_count()) {
  for (std::size_t i = plans.size(); i-- > 0;) {
    rounds_.push_back({plans[i], i == 0 ? 1 : several, 0, 0});
  }
  const Tensors& outputs = loop.body->outputs();
  for (std::size_t i = 0; i < loop.carry_count(); ++i) {
    const bool in_place =
        std::all_of(plans.begin(), plans.end(), [&](const auto& plan) { return plan->writes_in_place(i); });
    carries_.push_back({bytes_of(outputs[i]), 0, wanted[i] ? 0 : std::size_t{1}, in_place, none, false});
  }
  for (std::size_t i = 0; i < loop.slice_count(); ++i) {
    const std::size_t number = loop.carry_count() + i;
    slices_.push_back({number, bytes_of(loop.body->inputs()[1 + number]), false});
  }
  for (std::size_t i = 0; i < loop.result_count(); ++i) {
    if (wanted[loop.first_result() + i]) {
      results_.push_back({loop.first_result() + i, bytes_of(outputs[loop.carry_count() + i]), false});
    }
  }
  find_homes(loop);
  needless_steps_ = !loop.stops && loop.effect().empty() && wants_only_values_before_steps(wanted) ? 1 : 0;
  lay_out();
}

// A carry that is a result, too, is computed where the result's row is, and read from there in the next step: the two are not
// copied. So is one of which the values before each step are a result, one row further.
void LoopPlan::find_homes(const Loop& loop) {
  for (std::size_t i = 0; i < carries_.size(); ++i) {
    Carry& carry = carries_[i];
    for (std::size_t k = 0; k < results_.size() && carry.home == none; ++k) {
      const Tensor& result = loop.body->outputs()[loop.carry_count() + results_[k].number - loop.first_result()];
      const bool after = result.same_as(loop.body->outputs()[i]);
      const bool before = result.same_as(loop.body->inputs()[1 + i]);
      if ((after || before) && !results_[k].is_home) {
        carry.home = k;
        carry.comes_before = !after;
        carry.in_place = false;
        results_[k].is_home = true;
      }
    }
  }
}

// So it is where a segment is computed again: its last step would give what comes after it, which is known.
bool LoopPlan::wants_only_values_before_steps(const std::vector<bool>& wanted) const {
  const auto homes_before = std::count_if(carries_.begin(), carries_.end(),
                                          [](const Carry& carry) { return carry.home != none && carry.comes_before; });
  return !results_.empty() && homes_before == std::ssize(results_) &&
         std::none_of(wanted.begin(), wanted.begin() + std::ssize(carries_), [](bool carry) { return carry; });
}

// Plan, index, pointers, carries.
void LoopPlan::lay_out() {
  std::size_t end = 0;
  for (const Round& round : rounds_) {
    end = std::max(end, runtime::aligned(round.plan->inside_bytes()));
  }
  const auto take = [&](std::size_t bytes) {
    const std::size_t offset = end;
    end += runtime::aligned(bytes);
    return offset;
  };
  index_offset_ = take(sizeof(std::int64_t));
  for (Round& round : rounds_) {
    const auto steps = static_cast<std::size_t>(round.steps);
    round.in_offset = take((1 + carries_.size() + steps * slices_.size() + captured_) * sizeof(void*));
    round.out_offset = take((carries_.size() + steps * results_.size()) * sizeof(void*));
  }
  for (Carry& carry : carries_) {
    const bool has_output = carry.other_offset == 0;
    carry.other_offset = has_output ? 0 : take(carry.bytes);
    carry.offset = take(carry.bytes);
  }
  memory_bytes_ = end;
}

std::size_t LoopPlan::scratch_stride() const {
  std::size_t stride = 0;
  for (const Round& round : rounds_) {
    stride = std::max(stride, round.plan->scratch_stride());
  }
  return stride;
}

/// One run.
class LoopPlan::Running {
 public:
  Running(const LoopPlan& plan, void* const* in, void* const* out, std::byte* memory)
      : plan_(plan),
        given_(in),
        wanted_(out),
        memory_(memory),
        index_(reinterpret_cast<std::int64_t*>(memory + plan.index_offset_)) {}

  void run(std::byte* scratch, int threads) {
    const std::int64_t most = plan_.counted_ ? counted_steps() : plan_.steps_;
    std::int64_t step = 0;
    begin(most);
    for (const Round& round : plan_.rounds_) {
      enter(round);
      for (; step + round.steps <= most - plan_.needless_steps_ && goes_on(); step += round.steps) {
        place(round, step, most);
        try {
          round.plan->run_inside(in_, out_, memory_, scratch, threads);
        } catch (Error& error) {
          error.add_note(round.steps == 1
                             ? phrase("in step {} of a loop", step)
                             : phrase("in one of the steps {} to {} of a loop", step, step + round.steps - 1));
          throw;
        }
        std::copy_n(out_, plan_.carries_.size(), in_ + 1);
      }
    }
    finish(std::max(step, std::min(most, step + plan_.needless_steps_)));
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

  void* row_of(std::size_t result, std::int64_t index) const {
    const Rows& rows = plan_.results_[result];
    return static_cast<std::byte*>(wanted_[rows.number]) + static_cast<std::size_t>(index) * rows.bytes;
  }
  std::int64_t index_of(std::int64_t step, std::int64_t steps) const {
    return plan_.reverse_ ? steps - 1 - step : step;
  }

  void begin(std::int64_t steps) {
    in_ = reinterpret_cast<void**>(memory_ + plan_.rounds_[0].in_offset);
    out_ = reinterpret_cast<void**>(memory_ + plan_.rounds_[0].out_offset);
    for (std::size_t i = 0; i < plan_.carries_.size(); ++i) {
      const Carry& carry = plan_.carries_[i];
      in_[1 + i] = given_[i];
      out_[i] = nullptr;
      if (carry.in_place) {
        in_[1 + i] = out_[i] = first_buffer(i);
      } else if (carry.comes_before && steps > 0) {
        in_[1 + i] = row_of(carry.home, index_of(0, steps));
      }
      if (in_[1 + i] != given_[i] && carry.bytes > 0) {
        std::memcpy(in_[1 + i], given_[i], carry.bytes);
      }
    }
  }

  // Carries stay where they are; the rest of the pointers is that of the new kind of round.
  void enter(const Round& round) {
    const std::size_t carries = plan_.carries_.size();
    void** in = reinterpret_cast<void**>(memory_ + round.in_offset);
    void** out = reinterpret_cast<void**>(memory_ + round.out_offset);
    std::copy_n(in_ + 1, carries, in + 1);
    std::copy_n(out_, carries, out);
    in_ = in;
    out_ = out;
    in_[0] = index_;
    const std::size_t first = carries + plan_.slices_.size();
    std::copy_n(given_ + first, plan_.captured_,
                in_ + 1 + carries + static_cast<std::size_t>(round.steps) * plan_.slices_.size());
  }

  bool goes_on() const { return !plan_.stops_ || *static_cast<const bool*>(in_[1]); }

  // The index, and where the slices, the results and the next carries of some steps are.
  void place(const Round& round, std::int64_t step, std::int64_t steps) {
    *index_ = index_of(step, steps);
    void** slice = in_ + 1 + plan_.carries_.size();
    void** result = out_ + plan_.carries_.size();
    for (std::int64_t i = step; i < step + round.steps; ++i) {
      const std::int64_t index = index_of(i, steps);
      for (const Rows& rows : plan_.slices_) {
        *slice++ = static_cast<std::byte*>(given_[rows.number]) + static_cast<std::size_t>(index) * rows.bytes;
      }
      for (std::size_t k = 0; k < plan_.results_.size(); ++k) {
        *result++ = row_of(k, index);
      }
    }
    place_carries(step + round.steps, steps);
  }

  // Carries without a result to be in go from one buffer to the other.
  void place_carries(std::int64_t next, std::int64_t steps) {
    for (std::size_t i = 0; i < plan_.carries_.size(); ++i) {
      const Carry& carry = plan_.carries_[i];
      if (carry.in_place) {
        continue;
      }
      if (carry.home == none) {
        out_[i] = in_[1 + i] == first_buffer(i) ? second_buffer(i) : first_buffer(i);
      } else if (!carry.comes_before) {
        out_[i] = row_of(carry.home, index_of(next - 1, steps));
      } else {
        out_[i] = next < steps ? row_of(carry.home, index_of(next, steps)) : first_buffer(i);
      }
    }
  }

  void finish(std::int64_t steps) {
    for (std::size_t i = 0; i < plan_.carries_.size(); ++i) {
      if (plan_.carries_[i].other_offset == 0 && in_[1 + i] != wanted_[i] && plan_.carries_[i].bytes > 0) {
        std::memcpy(wanted_[i], in_[1 + i], plan_.carries_[i].bytes);
      }
    }
    if (plan_.stops_ && wanted_[plan_.carries_.size()] != nullptr) {
      *static_cast<std::int64_t*>(wanted_[plan_.carries_.size()]) = steps;
    }
    for (const Rows& result : plan_.results_) {  // of the steps that there might have been
      const auto done = static_cast<std::size_t>(steps);
      const std::size_t bytes = (static_cast<std::size_t>(plan_.steps_) - done) * result.bytes;
      if (bytes > 0) {
        std::memset(static_cast<std::byte*>(wanted_[result.number]) + done * result.bytes, 0, bytes);
      }
    }
  }

  const LoopPlan& plan_;
  void* const* given_;
  void* const* wanted_;
  std::byte* memory_;
  std::int64_t* index_;
  void** in_ = nullptr;
  void** out_ = nullptr;
};

void LoopPlan::run(void* const* in, void* const* out, std::byte* memory, std::byte* scratch, int threads) const {
  Running(*this, in, out, memory).run(scratch, threads);
}

}  // namespace xgrad::plan
