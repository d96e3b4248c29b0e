#include "autograd/plan/schedule/schedule.hpp"

#include <algorithm>
#include <iterator>
#include <queue>

#include "autograd/plan/schedule/cost.hpp"

namespace xgrad::plan {

std::int64_t rows_of(const Draft& draft, const Step& step) {
  if (!step.effect.empty()) {
    return 1;
  }
  if (step.kind == Step::Kind::map) {
    return step.space.empty() ? 1 : step.space[0];
  }
  if (step.kind == Step::Kind::product) {
    return step.product.m;
  }
  if (step.kind == Step::Kind::check) {
    const Shape& shape = draft.spec(step.inputs[0]).shape;
    return shape.empty() ? 1 : shape[0];
  }
  const bool cuts = step.kind == Step::Kind::column_sum || (step.splits_rows && step.outputs.size() == 1);
  const Shape& shape = cuts ? draft.spec(step.outputs[0]).shape : Shape();
  return shape.empty() ? 1 : shape[0];
}

bool Schedule::reads_rows(const Draft& draft, const Step& reader, std::size_t input) {
  const Shape& shape = draft.spec(reader.inputs[input]).shape;
  switch (reader.kind) {
    case Step::Kind::map: return shape.ndim() == reader.space.ndim() && !shape.empty() && shape[0] == reader.space[0];
    case Step::Kind::product: return input == 2 || (input == 0 && !reader.product.transpose_a);
    case Step::Kind::op: return reader.splits_rows && reader.outputs.size() == 1;
    case Step::Kind::check: return true;
    case Step::Kind::column_sum:
    case Step::Kind::program: return false;
  }
  return false;
}

namespace {

/// What has to come before a step: the steps whose outputs it reads, and those that must not see or undo its writes.
class Dependencies {
 public:
  explicit Dependencies(const Draft& draft)
      : draft_(draft),
        producers_(find_producers(draft)),
        before_(draft.steps.size()),
        after_(draft.steps.size()),
        kept_back_by_(draft.steps.size()),
        complete_(draft.steps.size()),
        old_(draft.argument_count),
        returned_(draft.values.size()) {
    for (std::uint32_t i = 0; i < draft.steps.size(); ++i) {
      for (const ValueId input : draft.steps[i].inputs) {
        if (producers_[input] != Draft::none && producers_[input] != i) {
          add(producers_[input], i);
        }
        if (Old* old = old_content(input); old != nullptr && (old->readers.empty() || old->readers.back() != i)) {
          old->readers.push_back(i);
        }
      }
      if (!draft.steps[i].total) {
        throwing_.push_back(i);
      }
    }
    const std::vector<std::uint32_t> previous = find_previous_effects(draft);
    for (std::uint32_t i = 0; i < previous.size(); ++i) {
      if (previous[i] != Draft::none) {
        add(previous[i], i);
      }
    }
    for (const ValueId output : draft.outputs) {
      ++returned_[output];
      if (Old* old = old_content(output)) {
        old->returned = true;
      }
    }
  }

  std::uint32_t producer(ValueId id) const { return producers_[id]; }
  const std::vector<std::uint32_t>& before(std::uint32_t step) const { return before_[step]; }

  /// Lets output number \p output be written over the old content of its variable, if everything that reads the old
  /// content and everything that may throw can come first. \return whether it can.
  bool write_in_place(std::size_t output) {
    const ValueId id = draft_.outputs[output];
    const std::uint32_t writer = producers_[id];
    const std::uint32_t argument = draft_.replaces[output];
    if (writer == Draft::none || draft_.values[id].whole != id || !writes_whole(draft_.steps[writer]) ||
        !draft_.steps[writer].total || returned_[id] != 1) {
      return false;
    }
    const Old& old = old_[argument];
    const auto is_old = [&](ValueId value) { return old_content(value) == &old; };
    if (old.returned || !reads_in_step(draft_.steps[writer], id, is_old)) {
      return false;
    }
    std::vector<std::uint32_t> first;
    std::set_union(old.readers.begin(), old.readers.end(), throwing_.begin(), throwing_.end(),
                   std::back_inserter(first));
    std::erase(first, writer);
    const std::vector<bool> later = reachable_from(writer);
    if (std::any_of(first.begin(), first.end(), [&](auto i) { return later[i]; })) {
      return false;
    }
    for (const std::uint32_t i : first) {
      add(i, writer);
      kept_back_by_[writer].push_back(i);
      if (!draft_.steps[i].total || !reads_in_rows(draft_.steps[i], id, is_old)) {
        complete_[writer].push_back(i);
      }
    }
    return true;
  }

  /// A product that only one elementwise step reads is not computed before that step can follow, block by block, while it
  /// is in the cache: dW and the update of W, which waits until nothing reads the old W.
  void join_products_with_readers() {
    const std::vector<std::uint32_t> uses = count_uses(draft_);
    for (std::uint32_t reader = 0; reader < draft_.steps.size(); ++reader) {
      const Step& step = draft_.steps[reader];
      for (std::size_t i = 0; i < step.inputs.size() && step.kind == Step::Kind::map; ++i) {
        const ValueId id = step.inputs[i];
        const bool only_here = uses[id] == 1 && draft_.values[id].whole == id && Schedule::reads_rows(draft_, step, i);
        if (only_here && producers_[id] != Draft::none && draft_.steps[producers_[id]].kind == Step::Kind::product) {
          wait_with(producers_[id], reader);
        }
      }
    }
  }

  /// Whether \p step, which writes in place, has to wait for all rows of \p first: that may throw at a later one, or reads
  /// old content of other rows.
  bool waits_for_all_rows(std::uint32_t step, std::uint32_t first) const {
    return std::find(complete_[step].begin(), complete_[step].end(), first) != complete_[step].end();
  }

  /// Steps in an order that respects all of it.
  std::vector<std::uint32_t> order() const {
    std::vector<std::size_t> missing(draft_.steps.size());
    std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> ready;
    for (std::uint32_t i = 0; i < missing.size(); ++i) {
      missing[i] = before_[i].size();
      if (missing[i] == 0) {
        ready.push(i);
      }
    }
    std::vector<std::uint32_t> order;
    while (!ready.empty()) {
      order.push_back(ready.top());
      ready.pop();
      for (const std::uint32_t next : after_[order.back()]) {
        if (--missing[next] == 0) {
          ready.push(next);
        }
      }
    }
    return order;
  }

 private:
  /// The content of an argument before the run.
  struct Old {
    std::vector<std::uint32_t> readers;  // steps
    bool returned = false;               // as an output
  };

  // What \p value is a view of, when that is old content.
  Old* old_content(ValueId value) {
    const Value& memory = draft_.values[draft_.values[value].memory];
    return memory.source == Value::Source::argument ? &old_[memory.number] : nullptr;
  }

  static bool writes_whole(const Step& step) {
    return step.kind == Step::Kind::map || step.kind == Step::Kind::column_sum ||
           (step.kind == Step::Kind::product && step.product.k_slabs * step.product.n_slabs == 1);
  }

  // The writer itself may read the old content at the positions that it is about to write.
  template <class IsOld>
  bool reads_in_step(const Step& step, ValueId output, const IsOld& is_old) const {
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const bool same_position = draft_.spec(step.inputs[i]) == draft_.spec(output) &&
                                 (step.kind == Step::Kind::map || (step.kind == Step::Kind::product && i == 2));
      if (is_old(step.inputs[i]) && !same_position) {
        return false;
      }
    }
    return true;
  }

  void wait_with(std::uint32_t product, std::uint32_t reader) {
    if (kept_back_by_[reader].empty()) {
      return;
    }
    const std::vector<bool> later = reachable_from(product);
    for (const std::uint32_t first : kept_back_by_[reader]) {
      if (first != product && !later[first]) {
        add(first, product);
      }
    }
  }

  // Whether a step reads old content only of the rows that it computes.
  template <class IsOld>
  bool reads_in_rows(const Step& step, ValueId output, const IsOld& is_old) const {
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      if (is_old(step.inputs[i]) &&
          (draft_.spec(step.inputs[i]) != draft_.spec(output) || !Schedule::reads_rows(draft_, step, i))) {
        return false;
      }
    }
    return true;
  }

  void add(std::uint32_t first, std::uint32_t second) {
    before_[second].push_back(first);
    after_[first].push_back(second);
  }

  std::vector<bool> reachable_from(std::uint32_t step) const {
    std::vector<bool> reached(draft_.steps.size());
    std::vector<std::uint32_t> path{step};
    while (!path.empty()) {
      const std::uint32_t next = path.back();
      path.pop_back();
      for (const std::uint32_t i : after_[next]) {
        if (!reached[i]) {
          reached[i] = true;
          path.push_back(i);
        }
      }
    }
    return reached;
  }

  const Draft& draft_;
  std::vector<std::uint32_t> producers_;
  std::vector<std::vector<std::uint32_t>> before_;
  std::vector<std::vector<std::uint32_t>> after_;
  std::vector<std::vector<std::uint32_t>> kept_back_by_;  // per writer: steps that must not see or undo its writes
  std::vector<std::vector<std::uint32_t>> complete_;      // per writer in place: steps of which all rows come before
  std::vector<Old> old_;                                  // per argument
  std::vector<std::uint32_t> returned_;                   // per value: how many outputs it is
  std::vector<std::uint32_t> throwing_;                   // steps
};

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
      place(step);
    }
    for (std::uint32_t i = 0; i < schedule_.groups.size(); ++i) {
      Group& group = schedule_.groups[i];
      for (const std::uint32_t step : group.steps) {
        group.cost += cost_of(draft_, draft_.steps[step]);
      }
      cut(group);
      schedule_.phases[schedule_.phase_of[i]].groups.push_back(i);
    }
    return std::move(schedule_);
  }

 private:
  void place(std::uint32_t number) {
    const Step& step = draft_.steps[number];
    const std::int64_t rows = rows_of(draft_, step);
    const bool joins = rows > 1 && slabs_of(step) == 1 && step.effect.empty();
    std::uint32_t phase = 0;
    std::uint32_t best = Draft::none;
    for (const std::uint32_t first : dependencies_.before(number)) {
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
    group.slabs = slabs_of(step);
    schedule_.group_of[number] = static_cast<std::uint32_t>(schedule_.groups.size());
    schedule_.groups.push_back(group);
    schedule_.phase_of.push_back(phase);
    schedule_.phases.resize(std::max<std::size_t>(schedule_.phases.size(), phase + 1));
  }

  static std::int64_t slabs_of(const Step& step) {
    return step.kind == Step::Kind::product ? step.product.k_slabs * step.product.n_slabs : 1;
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
        if (!same_rows || !Schedule::reads_rows(draft_, step, i)) {
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
      const std::uint32_t other = schedule_.group_of[first];
      return other == group || schedule_.phase_of[other] < schedule_.phase_of[group];
    });
  }

  void cut(Group& group) const {
    const bool one_step = group.steps.size() == 1;
    const Step& first = draft_.steps[group.steps[0]];
    group.block = block_of(draft_, group);
    const bool large = group.pieces() == 1 && group.cost > 2 * piece_cost &&
                       (first.kind == Step::Kind::op || first.kind == Step::Kind::map);
    group.alone = one_step && (large || !first.effect.empty() || first.kind == Step::Kind::program);
  }

  const Draft& draft_;
  Dependencies dependencies_;
  Schedule schedule_;
};

}  // namespace

Schedule make_schedule(const Draft& draft, bool write_in_place) { return Scheduler(draft, write_in_place).run(); }

}  // namespace xgrad::plan
