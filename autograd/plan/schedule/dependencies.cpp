#include "autograd/plan/schedule/dependencies.hpp"

#include <algorithm>
#include <functional>
#include <queue>

#include "autograd/plan/steps/step_kind.hpp"

namespace xgrad::plan {

Dependencies::Dependencies(const Draft& draft)
    : draft_(draft),
      producers_(find_producers(draft)),
      barrier_(static_cast<std::uint32_t>(draft.steps.size())),
      before_(draft.steps.size() + 1),
      after_(draft.steps.size() + 1),
      kept_back_by_(draft.steps.size()),
      complete_(draft.steps.size()),
      old_(draft.argument_count),
      returned_(draft.values.size()),
      reached_(draft.steps.size() + 1) {
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
      add(i, barrier_);
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

bool Dependencies::write_in_place(std::size_t output) {
  const ValueId id = draft_.outputs[output];
  const std::uint32_t writer = producers_[id];
  const std::uint32_t argument = draft_.replaces[output];
  if (writer == Draft::none || draft_.values[id].whole != id ||
      !draft_.steps[writer].kind->writes_whole(draft_.steps[writer]) || !draft_.steps[writer].total ||
      returned_[id] != 1) {
    return false;
  }
  const Old& old = old_[argument];
  if (old.returned || !reads_in_step(draft_.steps[writer], id, old)) {
    return false;
  }
  std::vector<std::uint32_t> first = old.readers;
  std::erase(first, writer);
  if (!before_[barrier_].empty()) {
    first.push_back(barrier_);
  }
  mark_reachable_from(writer);
  if (std::any_of(first.begin(), first.end(), [&](auto i) { return is_reached(i); })) {
    return false;
  }
  for (const std::uint32_t i : first) {
    add(i, writer);
    kept_back_by_[writer].push_back(i);
    if (i != barrier_ && !reads_in_rows(draft_.steps[i], id, old)) {
      complete_[writer].push_back(i);
    }
  }
  return true;
}

void Dependencies::join_products_with_readers() {
  const std::vector<std::uint32_t> uses = count_uses(draft_);
  for (std::uint32_t reader = 0; reader < draft_.steps.size(); ++reader) {
    const Step& step = draft_.steps[reader];
    for (std::size_t i = 0; i < step.inputs.size() && step.kind == map_step; ++i) {
      const ValueId id = step.inputs[i];
      const bool only_here = uses[id] == 1 && draft_.values[id].whole == id && step.kind->reads_rows(draft_, step, i);
      if (only_here && producers_[id] != Draft::none && draft_.steps[producers_[id]].kind == product_step) {
        wait_with(producers_[id], reader);
      }
    }
  }
}

bool Dependencies::waits_for_all_rows(std::uint32_t step, std::uint32_t first) const {
  return std::find(complete_[step].begin(), complete_[step].end(), first) != complete_[step].end();
}

std::vector<std::uint32_t> Dependencies::order() const {
  std::vector<std::size_t> missing(before_.size());
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> ready;
  std::vector<std::uint32_t> order;
  const auto take = [&](std::uint32_t step) {
    order.push_back(step);
    for (const std::uint32_t next : after_[step]) {
      --missing[next];
      if (missing[next] == 0 && next != barrier_) {
        ready.push(next);
      }
    }
  };
  for (std::uint32_t i = 0; i < missing.size(); ++i) {
    missing[i] = before_[i].size();
    if (missing[i] == 0 && i != barrier_) {
      ready.push(i);
    }
  }
  bool barrier_is_due = missing[barrier_] > 0;
  while (!ready.empty()) {
    const std::uint32_t step = ready.top();
    ready.pop();
    take(step);
    if (barrier_is_due && missing[barrier_] == 0) {  // what waits for it is to have its own place in the order
      barrier_is_due = false;
      take(barrier_);
    }
  }
  return order;
}

// What \p value is a view of, when that is old content.
Dependencies::Old* Dependencies::old_content(ValueId value) {
  const Value& memory = draft_.values[draft_.values[value].memory];
  return memory.source == Value::Source::argument ? &old_[memory.number] : nullptr;
}

// The writer itself may read the old content at the positions that it is about to write.
bool Dependencies::reads_in_step(const Step& step, ValueId output, const Old& old) {
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    const bool same_position = draft_.spec(step.inputs[i]) == draft_.spec(output) && step.kind->reads_before_writing(i);
    if (old_content(step.inputs[i]) == &old && !same_position) {
      return false;
    }
  }
  return true;
}

void Dependencies::wait_with(std::uint32_t product, std::uint32_t reader) {
  if (kept_back_by_[reader].empty()) {
    return;
  }
  mark_reachable_from(product);
  for (const std::uint32_t first : kept_back_by_[reader]) {
    if (first != product && !is_reached(first)) {
      add(first, product);
    }
  }
}

// Whether a step reads old content only of the rows that it computes.
bool Dependencies::reads_in_rows(const Step& step, ValueId output, const Old& old) {
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    if (old_content(step.inputs[i]) == &old &&
        (draft_.spec(step.inputs[i]) != draft_.spec(output) || !step.kind->reads_rows(draft_, step, i))) {
      return false;
    }
  }
  return true;
}

void Dependencies::add(std::uint32_t first, std::uint32_t second) {
  before_[second].push_back(first);
  after_[first].push_back(second);
}

void Dependencies::mark_reachable_from(std::uint32_t step) {
  ++epoch_;
  path_.assign(1, step);
  while (!path_.empty()) {
    const std::uint32_t next = path_.back();
    path_.pop_back();
    for (const std::uint32_t i : after_[next]) {
      if (!is_reached(i)) {
        reached_[i] = epoch_;
        path_.push_back(i);
      }
    }
  }
}

}  // namespace xgrad::plan
