#include "autograd/plan/steps/draft.hpp"

#include <map>
#include <queue>
#include <utility>

namespace xgrad::plan {

namespace {

std::int64_t slab_width(std::int64_t size, std::int64_t slabs, std::int64_t unit) {
  return slabs == 1 ? size : (size / slabs + unit - 1) / unit * unit;
}

}  // namespace

std::int64_t Product::k_width() const { return slab_width(k, k_slabs, 8); }

// Two vectors of the widest registers, where a slab has so many columns of b. Rows of it are cut more finely, into equal halves
// if that is possible: who multiplies with a half has also computed it.
std::int64_t Product::n_width() const { return slab_width(n, n_slabs, n / n_slabs >= 32 && !transpose_b ? 32 : 8); }

ValueId Draft::add_value(const Spec& spec) {
  const auto id = static_cast<ValueId>(values.size());
  values.push_back({spec, Value::Source::computed, 0, false, id, id, 0});
  return id;
}

ValueId Draft::add_alias(ValueId whole, const Spec& spec, std::int64_t offset) {
  const auto id = static_cast<ValueId>(values.size());
  const Value& of = values[whole];
  values.push_back({spec, of.source, of.number, of.from_variable, of.whole, of.memory, of.offset + offset});
  return id;
}

ValueId Draft::add_constant(const Array& array) {
  const ValueId id = add_value({array.shape(), array.dtype()});
  values[id].source = Value::Source::constant;
  values[id].number = static_cast<std::uint32_t>(constants.size());
  constants.push_back(array);
  return id;
}

std::vector<std::uint32_t> count_uses(const Draft& draft) {
  std::vector<std::uint32_t> uses(draft.values.size());
  for (const Step& step : draft.steps) {
    for (const ValueId input : step.inputs) {
      ++uses[input];
    }
  }
  for (const ValueId output : draft.outputs) {
    ++uses[output];
  }
  return uses;
}

std::vector<bool> memory_in_use(const Draft& draft) {
  std::vector<bool> used(draft.values.size());
  for (const Step& step : draft.steps) {
    for (const ValueId input : step.inputs) {
      used[draft.values[input].memory] = true;
    }
  }
  for (const ValueId output : draft.outputs) {
    used[draft.values[output].memory] = true;
  }
  return used;
}

std::vector<std::uint32_t> find_producers(const Draft& draft) {
  std::vector<std::uint32_t> producers(draft.values.size(), Draft::none);
  for (std::uint32_t i = 0; i < draft.steps.size(); ++i) {
    for (const ValueId output : draft.steps[i].outputs) {
      producers[output] = i;
    }
  }
  for (ValueId id = 0; id < draft.values.size(); ++id) {  // an alias is there when the whole is
    if (producers[id] == Draft::none) {
      producers[id] = producers[draft.values[id].whole];
    }
  }
  return producers;
}

std::vector<std::uint32_t> find_previous_effects(const Draft& draft) {
  std::vector<std::uint32_t> previous(draft.steps.size(), Draft::none);
  std::map<std::string_view, std::uint32_t> last;
  for (std::uint32_t i = 0; i < draft.steps.size(); ++i) {
    if (const std::string_view effect = draft.steps[i].effect; !effect.empty()) {
      const auto [entry, first] = last.try_emplace(effect, i);
      previous[i] = first ? Draft::none : std::exchange(entry->second, i);
    }
  }
  return previous;
}

void sort_steps(Draft& draft) {
  const std::vector<std::uint32_t> producers = find_producers(draft);
  const std::vector<std::uint32_t> previous = find_previous_effects(draft);
  std::vector<std::uint32_t> missing(draft.steps.size());
  std::vector<std::vector<std::uint32_t>> readers(draft.steps.size());
  for (std::uint32_t i = 0; i < draft.steps.size(); ++i) {
    for (const ValueId input : draft.steps[i].inputs) {
      if (const std::uint32_t producer = producers[input]; producer != Draft::none) {
        readers[producer].push_back(i);
        ++missing[i];
      }
    }
    if (previous[i] != Draft::none) {
      readers[previous[i]].push_back(i);
      ++missing[i];
    }
  }
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> ready;
  for (std::uint32_t i = 0; i < draft.steps.size(); ++i) {
    if (missing[i] == 0) {
      ready.push(i);
    }
  }
  std::vector<Step> sorted;
  sorted.reserve(draft.steps.size());
  while (!ready.empty()) {
    const std::uint32_t i = ready.top();
    ready.pop();
    for (const std::uint32_t reader : readers[i]) {
      if (--missing[reader] == 0) {
        ready.push(reader);
      }
    }
    sorted.push_back(std::move(draft.steps[i]));
  }
  draft.steps = std::move(sorted);
}

}  // namespace xgrad::plan
