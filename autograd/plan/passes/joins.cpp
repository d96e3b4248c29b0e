#include "autograd/plan/passes/joins.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace xgrad::plan {

namespace {

constexpr std::size_t most_looked_at = 256;  // readers or producers, for one pair of steps

}  // namespace

Joins::Joins(const Draft& draft)
    : draft_(draft),
      producers_(find_producers(draft)),
      previous_effect_(find_previous_effects(draft)),
      next_effect_(draft.steps.size(), Draft::none),
      readers_(draft.values.size()),
      into_(draft.steps.size()),
      seen_(draft.steps.size()),
      order_(draft.steps.size()) {
  for (std::uint32_t i = 0; i < draft.steps.size(); ++i) {
    into_[i] = i;
    for (const ValueId input : draft.steps[i].inputs) {
      readers_[input].push_back(i);
    }
    if (previous_effect_[i] != Draft::none) {
      next_effect_[previous_effect_[i]] = i;
    }
  }
  // Who reads an alias reads the whole.
  for (ValueId id = static_cast<ValueId>(draft.values.size()); id-- > 0;) {
    if (const ValueId whole = draft.values[id].whole; whole != id) {
      readers_[whole].insert(readers_[whole].end(), readers_[id].begin(), readers_[id].end());
    }
  }
}

bool Joins::may_join(std::uint32_t producer, std::uint32_t consumer) {
  forward_ = true;
  Search found = look(producer, consumer, [&](std::uint32_t step, auto&& enter) { for_readers(step, enter); });
  if (found == Search::too_long) {
    forward_ = false;
    found = look(consumer, producer, [&](std::uint32_t step, auto&& enter) { for_producers(step, enter); });
  }
  return found == Search::nothing;
}

// What the producer leads to goes behind both, or what the consumer needs ahead of them: one of these is known.
void Joins::join(std::uint32_t producer, std::uint32_t consumer) {
  std::sort(between_.begin(), between_.end(), [&](auto a, auto b) { return order_.before(a, b); });
  if (forward_) {
    std::for_each(between_.rbegin(), between_.rend(), [&](auto step) { order_.move_behind(step, consumer); });
  } else {
    std::for_each(between_.begin(), between_.end(), [&](auto step) { order_.move_ahead(step, producer); });
    order_.move_behind(consumer, producer);
  }
  into_[producer] = consumer;
}

// Collects what is between both, until a way is found that is longer than one step.
template <class Neighbours>
Joins::Search Joins::look(std::uint32_t from, std::uint32_t to, const Neighbours& neighbours) {
  between_.clear();
  ++epoch_;
  std::size_t looked_at = 0;
  Search result = Search::nothing;
  const auto enter_from = [&](std::uint32_t step) {
    neighbours(step, [&](std::uint32_t next) {
      if (++looked_at > most_looked_at) {
        result = Search::too_long;
      } else if (next == to) {
        result = step == from ? Search::nothing : Search::path;
      } else if (seen_[next] != epoch_ && in_direction(from, next) && in_direction(next, to)) {
        seen_[next] = epoch_;
        between_.push_back(next);
      }
      return result == Search::nothing;
    });
  };
  enter_from(from);
  for (std::size_t i = 0; i < between_.size() && result == Search::nothing; ++i) {
    enter_from(between_[i]);
  }
  return result;
}

template <class Enter>
void Joins::for_readers(std::uint32_t step, const Enter& enter) {
  if (next_effect_[step] != Draft::none && !enter(next_effect_[step])) {
    return;
  }
  for (const ValueId output : draft_.steps[step].outputs) {
    for (const std::uint32_t reader : readers_[output]) {
      if (!enter(current(reader))) {
        return;
      }
    }
  }
}

template <class Enter>
void Joins::for_producers(std::uint32_t step, const Enter& enter) {
  if (previous_effect_[step] != Draft::none && !enter(previous_effect_[step])) {
    return;
  }
  for (const ValueId input : draft_.steps[step].inputs) {
    if (const std::uint32_t first = producer(input); first != Draft::none && !enter(first)) {
      return;
    }
  }
}

// Steps that became part of others are found under the number of those.
std::uint32_t Joins::current(std::uint32_t step) {
  std::uint32_t last = step;
  while (into_[last] != last) {
    last = into_[last];
  }
  while (step != last) {  // the next time it is found at once
    step = std::exchange(into_[step], last);
  }
  return last;
}

}  // namespace xgrad::plan
