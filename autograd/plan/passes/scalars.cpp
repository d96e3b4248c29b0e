#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "autograd/plan/passes/passes.hpp"
#include "autograd/plan/passes/scalar_costs.hpp"
#include "autograd/plan/passes/scalar_program.hpp"

/// \file
/// Steps on small tensors that depend on each other become one, which computes them number by number.

namespace xgrad::plan {

namespace {

/// Sets that are joined, of steps.
class Sets {
 public:
  explicit Sets(std::size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), 0U); }
  std::uint32_t find(std::uint32_t i) {
    while (parent_[i] != i) {
      i = parent_[i] = parent_[parent_[i]];
    }
    return i;
  }
  void join(std::uint32_t a, std::uint32_t b) { parent_[find(a)] = find(b); }

 private:
  std::vector<std::uint32_t> parent_;
};

class ScalarRuns {
 public:
  explicit ScalarRuns(Draft& draft)
      : draft_(draft),
        producers_(find_producers(draft)),
        dtypes_(draft.steps.size()),
        levels_(draft.steps.size()),
        sets_(draft.steps.size()),
        run_of_(draft.steps.size(), Draft::none) {}

  void join() {
    find_levels();
    connect();
    choose();
    if (!runs_.empty()) {
      replace();
    }
  }

 private:
  struct Run {
    std::vector<std::uint32_t> steps;
    std::vector<ValueId> outputs;  // what others need of what it computes
    ScalarCosts costs;
    DType dtype = DType::float32;
  };

  // Steps of one level and type never wait for each other through others: whoever reads through another step, or a number
  // of another type, is a level higher. For steps that are not taken: the level of whoever reads them.
  void find_levels() {
    const std::vector<std::uint32_t> previous_effect = find_previous_effects(draft_);
    for (std::uint32_t i = 0; i < draft_.steps.size(); ++i) {
      const Step& step = draft_.steps[i];
      dtypes_[i] = scalar_dtype(draft_, step);
      levels_[i] = previous_effect[i] == Draft::none ? 0 : levels_[previous_effect[i]];
      for (const ValueId input : step.inputs) {
        if (const std::uint32_t producer = producers_[input]; producer != Draft::none) {
          const bool higher = dtypes_[producer].has_value() && dtypes_[producer] != dtypes_[i];
          levels_[i] = std::max(levels_[i], levels_[producer] + (higher ? 1 : 0));
        }
      }
    }
  }

  // What depends on each other, or reads the same.
  void connect() {
    std::vector<std::uint32_t> reader(draft_.values.size(), Draft::none);
    for (std::uint32_t i = 0; i < draft_.steps.size(); ++i) {
      if (!dtypes_[i]) {
        continue;
      }
      for (const ValueId input : draft_.steps[i].inputs) {
        if (draft_.constant(input) != nullptr) {
          continue;
        }
        const std::uint32_t producer = producers_[input];
        if (producer != Draft::none && alike(producer, i)) {
          sets_.join(producer, i);
        }
        std::uint32_t& other = reader[draft_.values[input].memory];
        if (other != Draft::none && alike(other, i)) {
          sets_.join(other, i);
        }
        other = i;
      }
    }
  }

  bool alike(std::uint32_t a, std::uint32_t b) const { return dtypes_[a] == dtypes_[b] && levels_[a] == levels_[b]; }

  // Which sets are computed faster number by number.
  void choose() {
    std::unordered_map<std::uint32_t, Run> candidates;
    for (std::uint32_t i = 0; i < draft_.steps.size(); ++i) {
      if (dtypes_[i]) {
        Run& run = candidates[sets_.find(i)];
        run.steps.push_back(i);
        run.dtype = *dtypes_[i];
        run.costs.add(draft_, draft_.steps[i]);
      }
    }
    for (std::uint32_t i = 0; i < draft_.steps.size(); ++i) {
      const auto found = candidates.find(i);  // a set is named after one of its steps
      if (found == candidates.end() || found->second.steps.size() < 2 || !found->second.costs.pay()) {
        continue;
      }
      for (const std::uint32_t step : found->second.steps) {
        run_of_[step] = static_cast<std::uint32_t>(runs_.size());
      }
      runs_.push_back(std::move(found->second));
    }
  }

  void find_outputs() {
    std::vector<bool> needed(draft_.values.size());
    for (std::uint32_t i = 0; i < draft_.steps.size(); ++i) {
      for (const ValueId input : draft_.steps[i].inputs) {
        if (run_of_[i] == Draft::none || producers_[input] == Draft::none || run_of_[producers_[input]] != run_of_[i]) {
          needed[draft_.values[input].memory] = true;
        }
      }
    }
    for (const ValueId output : draft_.outputs) {
      needed[draft_.values[output].memory] = true;
    }
    for (Run& run : runs_) {
      for (const std::uint32_t step : run.steps) {
        const std::vector<ValueId>& outputs = draft_.steps[step].outputs;
        std::copy_if(outputs.begin(), outputs.end(), std::back_inserter(run.outputs),
                     [&](ValueId id) { return needed[id]; });
      }
    }
  }

  void replace() {
    find_outputs();
    ElementNumbers numbers(draft_.values.size());
    for (std::uint32_t i = 0; i < runs_.size(); ++i) {
      const Run& run = runs_[i];
      ScalarProgram program(draft_, numbers, i, run.dtype, run.steps.size());
      for (const std::uint32_t step : run.steps) {
        program.add(draft_.steps[step]);
      }
      Step& last = draft_.steps[run.steps.back()];
      last = program.finish(run.outputs, last);
    }
    keep_steps(draft_,
               [&](std::uint32_t i) { return run_of_[i] == Draft::none || runs_[run_of_[i]].steps.back() == i; });
    sort_steps(draft_);
  }

  Draft& draft_;
  std::vector<std::uint32_t> producers_;
  std::vector<std::optional<DType>> dtypes_;  // per step: of its numbers, where it can be taken
  std::vector<std::uint32_t> levels_;         // per step
  Sets sets_;
  std::vector<Run> runs_;
  std::vector<std::uint32_t> run_of_;  // per step
};

}  // namespace

void join_scalars(Draft& draft) { ScalarRuns(draft).join(); }

}  // namespace xgrad::plan
