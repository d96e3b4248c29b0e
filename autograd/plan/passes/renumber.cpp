#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "autograd/plan/passes/passes.hpp"

/// \file
/// What other passes have left unused takes no place in the plan.

namespace xgrad::plan {

namespace {

/// New numbers for those that are used, in their order.
class Numbers {
 public:
  explicit Numbers(std::size_t count) : numbers_(count, Draft::none) {}

  /// Whether it was not used before.
  bool use(std::uint32_t old) { return std::exchange(numbers_[old], 0) == Draft::none; }
  void assign() {
    std::uint32_t next = 0;
    for (std::uint32_t& number : numbers_) {
      number = number == Draft::none ? Draft::none : next++;
    }
  }
  std::uint32_t operator[](std::uint32_t old) const { return numbers_[old]; }

  template <class T>
  void keep_used(std::vector<T>& list) const {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (numbers_[i] != Draft::none) {
        if (kept != i) {
          list[kept] = std::move(list[i]);
        }
        ++kept;
      }
    }
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(kept), list.end());
    list.shrink_to_fit();
  }

 private:
  std::vector<std::uint32_t> numbers_;
};

// Arguments are given, whether something uses them or not.
Numbers number_values(const Draft& draft) {
  Numbers values(draft.values.size());
  const auto use = [&](ValueId id) {
    for (; values.use(id); id = draft.values[id].whole) {
    }
  };
  for (ValueId id = 0; id < draft.values.size(); ++id) {
    if (draft.values[id].source == Value::Source::argument && draft.values[id].whole == id) {
      use(id);
    }
  }
  for (const Step& step : draft.steps) {
    std::for_each(step.inputs.begin(), step.inputs.end(), use);
    std::for_each(step.outputs.begin(), step.outputs.end(), use);
  }
  std::for_each(draft.outputs.begin(), draft.outputs.end(), use);
  values.assign();
  return values;
}

Numbers number_constants(const Draft& draft) {
  Numbers constants(draft.constants.size());
  for (const Value& value : draft.values) {
    if (value.source == Value::Source::constant) {
      constants.use(value.number);
    }
  }
  constants.assign();
  return constants;
}

}  // namespace

void renumber(Draft& draft) {
  const Numbers values = number_values(draft);
  values.keep_used(draft.values);
  const Numbers constants = number_constants(draft);
  constants.keep_used(draft.constants);
  const auto follow = [&](ValueId& id) { id = values[id]; };
  for (Value& value : draft.values) {
    follow(value.whole);
    follow(value.memory);
    if (value.source == Value::Source::constant) {
      value.number = constants[value.number];
    }
  }
  for (Step& step : draft.steps) {
    std::for_each(step.inputs.begin(), step.inputs.end(), follow);
    std::for_each(step.outputs.begin(), step.outputs.end(), follow);
  }
  std::for_each(draft.outputs.begin(), draft.outputs.end(), follow);
  draft.steps.shrink_to_fit();
}

}  // namespace xgrad::plan
