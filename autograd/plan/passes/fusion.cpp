#include <algorithm>
#include <utility>

#include "autograd/plan/passes/joined_formula.hpp"
#include "autograd/plan/passes/joins.hpp"
#include "autograd/plan/passes/passes.hpp"

/// \file
/// Elementwise steps over the same space become one: their intermediate numbers never reach memory.

namespace xgrad::plan {

namespace {

constexpr std::size_t most_inputs = 16;
constexpr std::size_t most_steps = 96;  ///< beyond, registers fall out of the first cache

class Fusion {
 public:
  explicit Fusion(Draft& draft) : draft_(draft), joins_(draft), uses_(count_uses(draft)) {
    for (ValueId id = static_cast<ValueId>(draft.values.size()); id-- > 0;) {
      if (const ValueId whole = draft.values[id].whole; whole != id) {
        uses_[whole] += uses_[id];
      }
    }
  }

  void run() {
    for (std::uint32_t i = 0; i < draft_.steps.size(); ++i) {
      while (!joins_.is_gone(i) && fuse_a_producer_of(i)) {
      }
    }
    keep_steps(draft_, [&](std::uint32_t i) { return !joins_.is_gone(i); });
    sort_steps(draft_);
  }

 private:
  bool fuse_a_producer_of(std::uint32_t consumer) {
    if (draft_.steps[consumer].kind != map_step) {
      return false;
    }
    for (const ValueId input : draft_.steps[consumer].inputs) {
      const std::uint32_t producer = joins_.producer(input);
      if (producer != Draft::none && producer != consumer && !reads_in_another_shape(consumer, producer) &&
          fits(draft_.steps[producer], draft_.steps[consumer]) && joins_.may_join(producer, consumer)) {
        fuse(producer, consumer);
        return true;
      }
    }
    return false;
  }

  static bool fits(const Step& producer, const Step& consumer) {
    return producer.kind == map_step && producer.space == consumer.space &&
           producer.formula.compute == consumer.formula.compute && producer.total == consumer.total &&
           producer.inputs.size() + consumer.inputs.size() <= most_inputs &&
           producer.formula.program.steps.size() + consumer.formula.program.steps.size() <= most_steps;
  }

  // An alias of what the producer computes is there only after it.
  bool reads_in_another_shape(std::uint32_t consumer, std::uint32_t producer) {
    const auto& inputs = draft_.steps[consumer].inputs;
    return std::any_of(inputs.begin(), inputs.end(),
                       [&](ValueId id) { return draft_.values[id].whole != id && joins_.producer(id) == producer; });
  }

  void fuse(std::uint32_t producer, std::uint32_t consumer) {
    Step& first = draft_.steps[producer];
    Step& second = draft_.steps[consumer];
    JoinedFormula both;
    std::vector<JoinedFormula::Number> numbers;
    for (const ValueId input : first.inputs) {
      numbers.push_back(both.input(input));
    }
    const std::vector<JoinedFormula::Number> all_first = both.add(first.formula.program, numbers);
    const auto in_first = [&](ValueId id) {
      const auto found = std::find(first.outputs.begin(), first.outputs.end(), id);
      return found == first.outputs.end() ? Draft::none : static_cast<std::uint32_t>(found - first.outputs.begin());
    };
    numbers.clear();
    for (const ValueId input : second.inputs) {
      const std::uint32_t output = in_first(input);
      numbers.push_back(output == Draft::none ? both.input(input) : all_first[first.formula.program.results[output]]);
    }
    const std::vector<JoinedFormula::Number> all_second = both.add(second.formula.program, numbers);

    std::vector<ValueId> outputs;
    std::vector<JoinedFormula::Number> results;
    for (std::size_t i = 0; i < first.outputs.size(); ++i) {
      const ValueId id = first.outputs[i];
      const auto inside = std::count(second.inputs.begin(), second.inputs.end(), id);
      uses_[id] -= static_cast<std::uint32_t>(inside);
      if (uses_[id] > 0) {
        outputs.push_back(id);
        results.push_back(all_first[first.formula.program.results[i]]);
      }
    }
    for (std::size_t i = 0; i < second.outputs.size(); ++i) {
      outputs.push_back(second.outputs[i]);
      results.push_back(all_second[second.formula.program.results[i]]);
    }
    count_inputs(first, -1);
    count_inputs_except(second, first, -1);
    std::tie(second.formula, second.inputs) = both.finish(results, second.formula.compute);
    count_inputs(second, 1);
    second.outputs = std::move(outputs);
    if (!second.name.ends_with(first.name)) {
      second.name = first.name + "+" + second.name;
    }
    joins_.join(producer, consumer);
    first = Step();  // its formula and its name would take memory until the end
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
  Joins joins_;
  std::vector<std::uint32_t> uses_;  // of a value and its aliases
};

}  // namespace

void fuse_formulas(Draft& draft) { Fusion(draft).run(); }

}  // namespace xgrad::plan
