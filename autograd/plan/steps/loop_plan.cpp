#include "autograd/plan/steps/loop_plan.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "autograd/runtime/error.hpp"
#include "autograd/runtime/phrase.hpp"
#include "autograd/runtime/pool.hpp"

namespace xgrad::plan {

namespace {

std::size_t bytes_of(const Tensor& tensor) { return static_cast<std::size_t>(tensor.size()) * size_of(tensor.dtype()); }

std::size_t aligned(std::size_t bytes) {
  return (bytes + runtime::alignment - 1) / runtime::alignment * runtime::alignment;
}

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

}  // namespace

// A carry may be written over the one before where the step reads that only once: a sum that grows stays where it is.
LoopPlan::LoopPlan(const Loop& loop, const std::vector<bool>& wanted, const NestedPlanner& planner)
    : steps_(loop.steps),
      reverse_(loop.reverse),
      stops_(loop.stops),
      counted_(loop.counted),
      input_count_(loop.carry_count() + loop.slice_count() + loop.captured_count() + (loop.counted ? 1 : 0)),
      program_inputs_(loop.body->inputs().size()) {
  const Tensors& outputs = loop.body->outputs();
  const std::vector<std::uint32_t> reads = count_reads(*loop.body);
  std::vector<bool> of_step(outputs.size(), true);
  std::vector<std::uint32_t> replaces;
  for (std::size_t i = 0; i < loop.carry_count(); ++i) {
    replaces.push_back(reads[1 + i] == 1 ? static_cast<std::uint32_t>(1 + i) : Draft::none);
  }
  for (std::size_t i = 0; i < loop.result_count(); ++i) {
    of_step[loop.carry_count() + i] = wanted[loop.first_result() + i];
    if (wanted[loop.first_result() + i]) {
      replaces.push_back(Draft::none);
      results_.push_back({loop.first_result() + i, bytes_of(outputs[loop.carry_count() + i]), false});
    }
  }
  step_ = planner.plan_part(*loop.body, of_step, std::move(replaces));
  for (std::size_t i = 0; i < loop.carry_count(); ++i) {
    carries_.push_back(
        {bytes_of(outputs[i]), 0, wanted[i] ? 0 : std::size_t{1}, step_->writes_in_place(i), none, false});
  }
  for (std::size_t i = 0; i < loop.slice_count(); ++i) {
    const std::size_t number = loop.carry_count() + i;
    slices_.push_back({number, bytes_of(loop.body->inputs()[1 + number]), false});
  }
  find_homes(loop);
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
      const std::int64_t index = index_of(step, most);
      place(index);
      place_carries(index, step + 1 < most ? index_of(step + 1, most) : -1);
      try {
        plan_.step_->run_inside(in_, out_, memory_, scratch, threads);
      } catch (Error& error) {
        error.add_note(phrase("in step {} of a loop", step));
        throw;
      }
      std::copy_n(out_, plan_.carries_.size(), in_ + 1);
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

  void* row_of(std::size_t result, std::int64_t index) const {
    const Rows& rows = plan_.results_[result];
    return static_cast<std::byte*>(wanted_[rows.number]) + static_cast<std::size_t>(index) * rows.bytes;
  }
  std::int64_t index_of(std::int64_t step, std::int64_t steps) const {
    return plan_.reverse_ ? steps - 1 - step : step;
  }

  // Carries without a result to be in go from one buffer to the other, such that the last of a known number of steps writes the
  // output.
  void begin(std::int64_t steps) {
    in_[0] = index_;
    const std::size_t carries = plan_.carries_.size();
    for (std::size_t i = 0; i < carries; ++i) {
      const Carry& carry = plan_.carries_[i];
      in_[1 + i] = given_[i];
      out_[i] = steps % 2 == 1 ? second_buffer(i) : first_buffer(i);  // before the first exchange
      if (carry.in_place) {
        in_[1 + i] = out_[i] = first_buffer(i);
      } else if (carry.comes_before && steps > 0) {
        in_[1 + i] = row_of(carry.home, index_of(0, steps));
      }
      if (in_[1 + i] != given_[i]) {
        std::memcpy(in_[1 + i], given_[i], carry.bytes);
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
      out_[plan_.carries_.size() + i] = row_of(i, index);
    }
  }

  // Where the step writes carries. \param next the index of the step behind it, or -1.
  void place_carries(std::int64_t index, std::int64_t next) {
    for (std::size_t i = 0; i < plan_.carries_.size(); ++i) {
      const Carry& carry = plan_.carries_[i];
      if (carry.in_place) {
        continue;
      }
      if (carry.home == none) {
        out_[i] = out_[i] == first_buffer(i) ? second_buffer(i) : first_buffer(i);
      } else if (!carry.comes_before) {
        out_[i] = row_of(carry.home, index);
      } else {
        out_[i] = next < 0 ? first_buffer(i) : row_of(carry.home, next);
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

}  // namespace xgrad::plan
