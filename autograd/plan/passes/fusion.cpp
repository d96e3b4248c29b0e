#include <algorithm>
#include <utility>

#include "autograd/plan/passes/joined_formula.hpp"
#include "autograd/plan/passes/passes.hpp"

/// \file
/// Elementwise steps over the same space become one: their intermediate numbers never reach memory.

namespace xgrad::plan {

namespace {

constexpr std::size_t most_inputs = 16;
constexpr std::size_t most_steps = 96;     ///< beyond, registers fall out of the first cache
constexpr std::size_t most_visited = 256;  ///< steps that are looked at for one fusion

class Fusion {
 public:
  explicit Fusion(Draft& draft)
      : draft_(draft),
        producers_(find_producers(draft)),
        uses_(count_uses(draft)),
        gone_(draft.steps.size()),
        into_(draft.steps.size()) {
    readers_.resize(draft.values.size());
    for (std::uint32_t i = 0; i < draft.steps.size(); ++i) {
      for (const ValueId input : draft.steps[i].inputs) {
        readers_[input].push_back(i);
      }
    }
    // Who reads an alias reads the whole.
    for (ValueId id = static_cast<ValueId>(draft.values.size()); id-- > 0;) {
      if (const ValueId whole = draft.values[id].whole; whole != id) {
        readers_[whole].insert(readers_[whole].end(), readers_[id].begin(), readers_[id].end());
        uses_[whole] += uses_[id];
      }
    }
  }

  void run() {
    for (std::uint32_t i = 0; i < draft_.steps.size(); ++i) {
      while (!gone_[i] && fuse_a_producer_of(i)) {
      }
    }
    std::vector<Step> left;
    for (std::uint32_t i = 0; i < draft_.steps.size(); ++i) {
      if (!gone_[i]) {
        left.push_back(std::move(draft_.steps[i]));
      }
    }
    draft_.steps = std::move(left);
    sort_steps(draft_);
  }

 private:
  bool fuse_a_producer_of(std::uint32_t consumer) {
    if (draft_.steps[consumer].kind != Step::Kind::map) {
      return false;
    }
    for (const ValueId input : draft_.steps[consumer].inputs) {
      if (producers_[input] == Draft::none) {
        continue;
      }
      const std::uint32_t producer = current(producers_[input]);
      if (producer != consumer && !reads_in_another_shape(consumer, producer) &&
          fits(draft_.steps[producer], draft_.steps[consumer]) && !leads_elsewhere(producer, consumer)) {
        fuse(producer, consumer);
        return true;
      }
    }
    return false;
  }

  static bool fits(const Step& producer, const Step& consumer) {
    return producer.kind == Step::Kind::map && producer.space == consumer.space &&
           producer.formula.compute == consumer.formula.compute && producer.total == consumer.total &&
           producer.inputs.size() + consumer.inputs.size() <= most_inputs &&
           producer.formula.steps.size() + consumer.formula.steps.size() <= most_steps;
  }

  // An alias of what the producer computes is there only after it.
  bool reads_in_another_shape(std::uint32_t consumer, std::uint32_t producer) {
    const auto& inputs = draft_.steps[consumer].inputs;
    return std::any_of(inputs.begin(), inputs.end(), [&](ValueId id) {
      return draft_.values[id].whole != id && producers_[id] != Draft::none && current(producers_[id]) == producer;
    });
  }

  // Whether the consumer depends on the producer through another step too: joined, they would wait for each other.
  bool leads_elsewhere(std::uint32_t producer, std::uint32_t consumer) {
    std::vector<std::uint32_t> path;
    std::vector<bool> seen(draft_.steps.size());
    const auto enter_readers = [&](std::uint32_t step) {
      for (const ValueId output : draft_.steps[step].outputs) {
        for (const std::uint32_t reader : readers_[output]) {
          const std::uint32_t now = current(reader);
          if (!seen[now] && !(step == producer && now == consumer)) {
            seen[now] = true;
            path.push_back(now);
          }
        }
      }
    };
    enter_readers(producer);
    std::size_t visited = 0;
    while (!path.empty() && !seen[consumer]) {
      if (++visited > most_visited) {
        return true;  // as far as is worth knowing
      }
      const std::uint32_t step = path.back();
      path.pop_back();
      enter_readers(step);
    }
    return seen[consumer];
  }

  // Steps that were fused into others are found under the number of those.
  std::uint32_t current(std::uint32_t step) {
    while (gone_[step]) {
      step = into_[step];
    }
    return step;
  }

  void fuse(std::uint32_t producer, std::uint32_t consumer) {
    Step& first = draft_.steps[producer];
    Step& second = draft_.steps[consumer];
    JoinedFormula joined;
    std::vector<JoinedFormula::Number> numbers;
    for (const ValueId input : first.inputs) {
      numbers.push_back(joined.input(input));
    }
    const std::vector<JoinedFormula::Number> all_first = joined.add(first.formula, numbers);
    const auto in_first = [&](ValueId id) {
      const auto found = std::find(first.outputs.begin(), first.outputs.end(), id);
      return found == first.outputs.end() ? Draft::none : static_cast<std::uint32_t>(found - first.outputs.begin());
    };
    numbers.clear();
    for (const ValueId input : second.inputs) {
      const std::uint32_t output = in_first(input);
      numbers.push_back(output == Draft::none ? joined.input(input) : all_first[first.formula.results[output]]);
    }
    const std::vector<JoinedFormula::Number> all_second = joined.add(second.formula, numbers);

    std::vector<ValueId> outputs;
    std::vector<JoinedFormula::Number> results;
    for (std::size_t i = 0; i < first.outputs.size(); ++i) {
      const ValueId id = first.outputs[i];
      const auto inside = std::count(second.inputs.begin(), second.inputs.end(), id);
      uses_[id] -= static_cast<std::uint32_t>(inside);
      std::erase(readers_[id], consumer);
      if (uses_[id] > 0) {
        outputs.push_back(id);
        results.push_back(all_first[first.formula.results[i]]);
        producers_[id] = consumer;
      }
    }
    for (std::size_t i = 0; i < second.outputs.size(); ++i) {
      outputs.push_back(second.outputs[i]);
      results.push_back(all_second[second.formula.results[i]]);
    }
    for (const ValueId input : first.inputs) {
      readers_[input].push_back(consumer);
    }
    count_inputs(first, -1);
    count_inputs_except(second, first, -1);
    std::tie(second.formula, second.inputs) = joined.finish(results, second.formula.compute);
    count_inputs(second, 1);
    second.outputs = std::move(outputs);
    if (!second.name.ends_with(first.name)) {
      second.name = first.name + "+" + second.name;
    }
    gone_[producer] = true;
    into_[producer] = consumer;
  }

  void count_inputs(const Step& step, int change) {
    for (const ValueId input : step.inputs) {
      change_uses(input, change);
    }
  }
  void count_inputs_except(const Step& step, const Step& producer, int change) {
    for (const ValueId input : step.inputs) {
      if (std::find(producer.outputs.begin(), producer.outputs.end(), input) == producer.outputs.end()) {
        change_uses(input, change);
      }
    }
  }
  void change_uses(ValueId id, int change) {
    for (;; id = draft_.values[id].whole) {
      uses_[id] += static_cast<std::uint32_t>(change);
      if (draft_.values[id].whole == id) {
        return;
      }
    }
  }

  Draft& draft_;
  std::vector<std::uint32_t> producers_;
  std::vector<std::uint32_t> uses_;                  // of a value and its aliases
  std::vector<std::vector<std::uint32_t>> readers_;  // of a value and its aliases
  std::vector<bool> gone_;
  std::vector<std::uint32_t> into_;
};

}  // namespace

void fuse_formulas(Draft& draft) { Fusion(draft).run(); }

}  // namespace xgrad::plan
