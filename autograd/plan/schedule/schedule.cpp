#include "autograd/plan/schedule/schedule.hpp"

#include <algorithm>

#include "autograd/plan/schedule/cost.hpp"
#include "autograd/plan/schedule/dependencies.hpp"
#include "autograd/plan/steps/step_kind.hpp"

namespace xgrad::plan {

namespace {

class Scheduler {
 public:
  Scheduler(const Draft& draft, bool write_in_place) : draft_(draft), dependencies_(draft) {
    schedule_.in_place.resize(draft.outputs.size());
    for (std::size_t i = 0; i < draft.outputs.size(); ++i) {
      schedule_.in_place[i] = write_in_place && draft.replaces[i] != Draft::none && dependencies_.write_in_place(i);
    }
    dependencies_.join_products_with_readers();
    schedule_.group_of.assign(draft.steps.size(), Draft::none);
  }

  Schedule run() {
    for (const std::uint32_t step : dependencies_.order()) {
      if (step == dependencies_.barrier()) {
        barrier_phase_ = last_phase_before(step) + 1;
      } else {
        place(step);
      }
    }
    for (std::uint32_t i = 0; i < schedule_.groups.size(); ++i) {
      Group& group = schedule_.groups[i];
      for (const std::uint32_t step : group.steps) {
        group.cost += draft_.steps[step].kind->cost(draft_, draft_.steps[step]);
      }
      cut(group);
      schedule_.phases[schedule_.phase_of[i]].groups.push_back(i);
    }
    return std::move(schedule_);
  }

 private:
  std::uint32_t last_phase_before(std::uint32_t step) const {
    std::uint32_t last = 0;
    for (const std::uint32_t first : dependencies_.before(step)) {
      last = std::max(last, schedule_.phase_of[schedule_.group_of[first]]);
    }
    return last;
  }

  void place(std::uint32_t number) {
    const Step& step = draft_.steps[number];
    const std::int64_t rows = rows_of(draft_, step);
    const bool joins = rows > 1 && step.kind->slabs(step) == 1 && step.effect.empty();
    std::uint32_t phase = 0;
    std::uint32_t best = Draft::none;
    for (const std::uint32_t first : dependencies_.before(number)) {
      if (first == dependencies_.barrier()) {
        phase = std::max(phase, barrier_phase_);
        continue;
      }
      const std::uint32_t group = schedule_.group_of[first];
      if (joins && schedule_.groups[group].rows == rows && schedule_.groups[group].slabs == 1 &&
          follows_rows(step, first) && !dependencies_.waits_for_all_rows(number, first)) {
        phase = std::max(phase, schedule_.phase_of[group]);
        if (best == Draft::none || schedule_.phase_of[group] > schedule_.phase_of[best]) {
          best = group;
        }
      } else {
        phase = std::max(phase, schedule_.phase_of[group] + 1);
      }
    }
    if (best != Draft::none && schedule_.phase_of[best] == phase && all_rows_from(number, best)) {
      schedule_.groups[best].steps.push_back(number);
      schedule_.group_of[number] = best;
      return;
    }
    if (best != Draft::none && schedule_.phase_of[best] == phase) {
      ++phase;  // rows come from two groups of this phase
    }
    Group group;
    group.steps = {number};
    group.rows = rows;
    group.slabs = step.kind->slabs(step);
    schedule_.group_of[number] = static_cast<std::uint32_t>(schedule_.groups.size());
    schedule_.groups.push_back(group);
    schedule_.phase_of.push_back(phase);
    schedule_.phases.resize(std::max<std::size_t>(schedule_.phases.size(), phase + 1));
  }

  // Whether the step reads from \p first only the rows that it is computing, in all its inputs.
  bool follows_rows(const Step& step, std::uint32_t first) const {
    bool reads = false;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      if (dependencies_.producer(step.inputs[i]) == first) {
        reads = true;
        const Value& value = draft_.values[step.inputs[i]];
        const bool same_rows = !value.spec.shape.empty() && value.offset == 0 &&
                               draft_.spec(value.memory).shape.element_count() == value.spec.shape.element_count() &&
                               draft_.spec(value.memory).shape[0] == value.spec.shape[0];
        if (!same_rows || !step.kind->reads_rows(draft_, step, i)) {
          return false;
        }
      }
    }
    return reads;
  }

  // Whether everything that the step needs from this phase comes from \p group.
  bool all_rows_from(std::uint32_t number, std::uint32_t group) const {
    const auto& before = dependencies_.before(number);
    return std::all_of(before.begin(), before.end(), [&](std::uint32_t first) {
      if (first == dependencies_.barrier()) {
        return barrier_phase_ <= schedule_.phase_of[group];
      }
      const std::uint32_t other = schedule_.group_of[first];
      return other == group || schedule_.phase_of[other] < schedule_.phase_of[group];
    });
  }

  void cut(Group& group) const {
    const bool one_step = group.steps.size() == 1;
    const Step& first = draft_.steps[group.steps[0]];
    const Cut cut = cut_of(draft_, group);
    group.block = cut.block;
    group.span = cut.span;
    const StepKind::Alone alone = first.kind->alone();
    const bool large = group.pieces() == 1 && group.cost > 2 * piece_cost && alone == StepKind::Alone::when_large;
    group.alone = one_step && (large || !first.effect.empty() || alone == StepKind::Alone::always);
  }

  const Draft& draft_;
  Dependencies dependencies_;
  std::uint32_t barrier_phase_ = 0;  // the earliest for what comes after the barrier
  Schedule schedule_;
};

}  // namespace

Schedule make_schedule(const Draft& draft, bool write_in_place) { return Scheduler(draft, write_in_place).run(); }

}  // namespace xgrad::plan
